import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { nodeBinary } from '../../scripts/packaging/node-binary.ts';
import { parseTarget } from '../../scripts/packaging/targets.ts';
import { aligned } from './aligned.ts';

/** Debian's cross compiler, of its package gcc-mingw-w64-x86-64-win32. */
export const COMPILER = 'x86_64-w64-mingw32-gcc-win32';

export function hasCompiler(): boolean {
  return existsSync(`/usr/bin/${COMPILER}`);
}

const FOLDER = resolve('.tools/wine-programs');

/** Node for Windows, of the version that the program is packaged with. The path is returned. */
export function windowsNode(): string {
  const packaged = nodeBinary(parseTarget('win-x64').node);
  const folder = madeOnce(
    `node-${hashOf(packaged, readFileSync(join(import.meta.dirname, 'aligned.ts')))}`,
    (fresh) => {
      writeFileSync(join(fresh, 'node.exe'), aligned(readFileSync(packaged)));
    },
  );
  return join(folder, 'node.exe');
}

/** The git.exe of a C source. The folder is returned. */
export function windowsGit(source: string): string {
  return madeOnce(`git-${hashOf(readFileSync(source), readFileSync(import.meta.filename))}`, (fresh) => {
    const args = ['-municode', '-O1', '-s', '-Wall', '-Werror', '-static', '-o', join(fresh, 'git.exe'), source];
    execFileSync(COMPILER, [...args, '-lws2_32'], { stdio: 'inherit' });
  });
}

function hashOf(...parts: (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex').slice(0, 16);
}

/** Makes a folder with something in it, unless it is there. Two test files may do so at once. */
function madeOnce(name: string, make: (fresh: string) => void): string {
  const folder = join(FOLDER, name);
  if (existsSync(folder)) return folder;
  const fresh = `${folder}.${process.pid}`;
  mkdirSync(fresh, { recursive: true });
  make(fresh);
  try {
    renameSync(fresh, folder);
  } catch (error) {
    rmSync(fresh, { recursive: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}
