import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { nodeBinary } from './node-binary.ts';
import { BUILDERS, programName, type Target } from './targets.ts';
import { prepareWindowsProgram } from './windows-program.ts';

/** What goes into the programs: a bundle (a file), and what it says of itself. */
export interface Content {
  file: string;
  version: string;
  commit: string;
}

/** Makes `dist/package/<target>/lfs-depot` (`.exe` on Windows), unless it is there and up to date. The path is returned. */
export function makeProgram(target: Target, content: Content): string {
  const folder = join('dist/package', target.name);
  const program = join(folder, programName(target));
  const stampFile = join(folder, '.made-from');
  const stamp = stampOf(target, content);
  if (existsSync(program) && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return program;
  mkdirSync(folder, { recursive: true });
  rmSync(stampFile, { force: true });
  const work = mkdtempSync(join(folder, 'fresh-'));
  try {
    const node = join(work, 'node');
    copyFileSync(nodeBinary(target.node), node);
    prepare(node, target, content);
    // Beside the bundle and without a path, because its path is embedded.
    copyFileSync(content.file, join(work, 'lfs-depot.cjs'));
    embed(work, target);
    chmodSync(join(work, 'program'), 0o755);
    renameSync(join(work, 'program'), program);
    writeFileSync(stampFile, stamp);
  } finally {
    rmSync(work, { recursive: true });
  }
  return program;
}

/** What has to be done before something is embedded: LIEF, which embeds, knows how to keep it then. */
function prepare(node: string, target: Target, content: Content): void {
  if (target.platform === 'win32') prepareWindowsProgram(node, content.version, content.commit);
  if (target.platform === 'linux') execFileSync('llvm-strip', [node]);
}

function embed(work: string, target: Target): void {
  const useCodeCache = target.name === 'linux-x64';
  const settings = {
    main: 'lfs-depot.cjs',
    executable: 'node',
    output: 'program',
    disableExperimentalSEAWarning: true,
    useCodeCache,
  };
  writeFileSync(join(work, 'sea.json'), JSON.stringify(settings));
  const builder = BUILDERS.find((node) => node.version === target.node.version);
  if (builder === undefined) throw new Error(`no Node ${target.node.version} to package with`);
  // Without a fixed seed two code caches differ. It is not among the flags that a cache is refused for.
  const args = ['--random-seed=1', '--build-sea', 'sea.json'];
  execFileSync(resolve(nodeBinary(builder)), args, { cwd: work, stdio: ['ignore', 'ignore', 'inherit'] });
}

function stampOf(target: Target, { file, version, commit }: Content): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([target, version, commit]))
    .update(readFileSync(file));
  for (const source of readdirSync(import.meta.dirname).sort())
    hash.update(readFileSync(join(import.meta.dirname, source)));
  return hash.digest('hex');
}
