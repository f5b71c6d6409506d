import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync } from 'node:fs';
import { build } from 'esbuild';

export interface Bundle {
  version: string;
  /** Abbreviated, with "+changes" when the sources differ from it. */
  commit: string;
  /** Folders of the packages whose code is in it, sorted. */
  packages: string[];
}

/**
 * Makes one CommonJS file of the program, in which a module that is imported with `import()` is evaluated only then. It
 * does not depend on where the repository lies.
 */
export async function bundle(outfile: string): Promise<Bundle> {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
  const commit = currentCommit();
  const { metafile } = await build({
    entryPoints: ['agent/main.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node22',
    // `import('node:…')` would bring up Node's loader of ES modules.
    supported: { 'dynamic-import': false },
    minify: true,
    legalComments: 'none',
    metafile: true,
    define: { LFS_DEPOT_VERSION: JSON.stringify(version), LFS_DEPOT_COMMIT: JSON.stringify(commit) },
  });
  chmodSync(outfile, 0o755);
  const folders = Object.keys(metafile.inputs).flatMap(
    (path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? [],
  );
  return { version, commit, packages: [...new Set(folders)].sort() };
}

function currentCommit(): string {
  try {
    const git = (...args: string[]) =>
      execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    const changed = git('status', '--porcelain', '--', 'agent', 'backends', 'package.json') === '' ? '' : '+changes';
    return git('rev-parse', '--short=10', 'HEAD') + changed;
  } catch {
    return 'unknown commit';
  }
}
