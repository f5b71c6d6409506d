import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { programName, type Target } from './targets.ts';

export interface Archive {
  target: Target;
  path: string;
  sha256: string;
}

/** What a user finds in an archive beside the program: name → text. */
export type Papers = Record<string, string | Buffer>;

/** How hard to compress: a release takes minutes for it, a test has no use for that. */
export type Effort = 'release' | 'quick';

/**
 * Packs a program and its papers into `folder`: a zip for Windows, whose Explorer opens no other without asking and on all
 * versions; elsewhere a tar.xz, a third smaller than a tar.gz, which the tar of every macOS and Linux reads. The same input
 * gives the same bytes: `time`, in seconds, is every file's, their order is that of their names, and nobody owns them.
 */
export async function packArchive(
  target: Target,
  program: string,
  papers: Papers,
  options: { version: string; time: number; folder: string; effort: Effort },
): Promise<Archive> {
  const name = `lfs-depot-${options.version}-${target.name}`;
  mkdirSync(options.folder, { recursive: true });
  const work = mkdtempSync(join(options.folder, 'fresh-'));
  try {
    const content = join(work, name);
    mkdirSync(content);
    copyFileSync(program, join(content, programName(target)));
    chmodSync(join(content, programName(target)), 0o755);
    for (const [paper, text] of Object.entries(papers)) {
      writeFileSync(join(content, paper), text);
      chmodSync(join(content, paper), 0o644);
    }
    const files = [programName(target), ...Object.keys(papers)].sort();
    for (const file of files) utimesSync(join(content, file), options.time, options.time);
    const file = `${name}.${target.platform === 'win32' ? 'zip' : 'tar.xz'}`;
    const made = join(work, file);
    if (target.platform === 'win32') await zip(content, files, made, options.effort);
    else await tarXz(content, files, options.time, made, options.effort);
    const path = join(options.folder, file);
    copyFileSync(made, path);
    return { target, path, sha256: sha256(path) };
  } finally {
    rmSync(work, { recursive: true });
  }
}

export function sha256(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

/** No folder in it: who unpacks it gets one of the archive's name. */
async function zip(folder: string, files: string[], archive: string, effort: Effort): Promise<void> {
  const method = ['-tzip', '-mm=Deflate', `-mx=${effort === 'release' ? 9 : 1}`, '-mmt=1'];
  // Times in a zip have no zone. 7z's further ones, of creation and access, are those of the copy.
  const times = ['-mtc=off', '-mta=off'];
  await run('7z', ['a', '-bso0', '-bsp0', ...method, ...times, resolve(archive), ...files], folder);
}

async function tarXz(folder: string, files: string[], time: number, archive: string, effort: Effort): Promise<void> {
  const name = basename(folder);
  const tar = `${archive.replace(/\.xz$/, '')}`;
  const form = ['--format=ustar', '--owner=root:0', '--group=root:0', `--mtime=@${time}`];
  execFileSync('tar', ['-cf', tar, ...form, '-C', join(folder, '..'), ...files.map((file) => `${name}/${file}`)]);
  // One thread: with several, xz cuts the file into blocks, which are larger together.
  await run('xz', ['-T1', effort === 'release' ? '-9' : '-0', tar], '.');
}

/** Waited for, so that two archives are made at once. */
function run(command: string, args: string[], cwd: string): Promise<void> {
  return new Promise((done, fail) => {
    const env = { ...process.env, TZ: 'UTC' };
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'ignore', 'inherit'] });
    child.on('error', fail);
    child.on('close', (status) => (status === 0 ? done() : fail(new Error(`${command} ended with ${status}`))));
  });
}
