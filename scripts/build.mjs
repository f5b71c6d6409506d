import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';

/**
 * One CommonJS file, in which a module that is imported with `import()` is evaluated only then; a single executable
 * starts it from a code cache, about as fast as a bare script (docs/architecture.md, "Speed").
 */
const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const bundle = 'dist/lfs-depot.cjs';
const program = `dist/bin/lfs-depot${process.platform === 'win32' ? '.exe' : ''}`;

mkdirSync('dist/bin', { recursive: true });
await build({
  entryPoints: ['agent/main.ts'],
  outfile: bundle,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node22',
  minify: true,
  legalComments: 'none',
  define: { LFS_DEPOT_VERSION: JSON.stringify(version), LFS_DEPOT_COMMIT: JSON.stringify(commit()) },
});
chmodSync(bundle, 0o755);

// Making the executable copies 150 MB: only when something changed.
const stamp = createHash('sha256').update(process.version).update(readFileSync(bundle)).digest('hex');
const stampFile = 'dist/bin/.built-from';
if (!existsSync(program) || !existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== stamp) {
  // Renamed into place: a program that git-lfs is starting right now must be there, whole.
  const fresh = `${program}.${process.pid}`;
  const config = `dist/sea-${process.pid}.json`;
  const settings = { main: bundle, output: fresh, disableExperimentalSEAWarning: true, useCodeCache: true };
  writeFileSync(config, JSON.stringify(settings));
  execFileSync(process.execPath, ['--build-sea', config], { stdio: ['ignore', 'ignore', 'inherit'] });
  rmSync(config);
  renameSync(fresh, program);
  writeFileSync(stampFile, stamp);
}
console.log(`built ${program}, ${bundle}`);

function commit() {
  try {
    const git = (...args) =>
      execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    const changed = git('status', '--porcelain', '--', 'agent', 'backends', 'package.json') === '' ? '' : '+changes';
    return git('rev-parse', '--short=10', 'HEAD') + changed;
  } catch {
    return 'unknown commit';
  }
}
