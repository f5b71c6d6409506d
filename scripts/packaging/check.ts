import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { git, type Order, RELEASE } from './release.ts';

/**
 * Makes the release of this commit again, in a clone in another folder with dependencies and a Wine of its own, and compares
 * it with dist/release/ byte by byte. Throws when a file differs.
 */
export function checkRelease({ owner, effort }: Order): void {
  if (!existsSync(join(RELEASE, 'SHA256SUMS'))) throw new Error(`make ${RELEASE} first, with scripts/package`);
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'lfs-depot again ')));
  try {
    const clone = join(folder, 'clone');
    git('clone', '-q', '.', clone);
    // Only what npm gave is taken from here; it is pinned by hash.
    mkdirSync(join(clone, '.tools'));
    symlinkSync(resolve('.tools/packaged'), join(clone, '.tools/packaged'));
    const args = ['--owner', owner, ...(effort === 'quick' ? ['--quick'] : [])];
    execFileSync('scripts/package', args, { cwd: clone, stdio: ['ignore', 'inherit', 'inherit'] });
    const different = differing(RELEASE, join(clone, RELEASE));
    if (different.length > 0) throw new Error(`made again, these differ: ${different.join(', ')}`);
    console.log(`made again from a clone in ${folder}: all ${readdirSync(RELEASE).length} files are the same`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Names of the files that only one of two folders has, or that are not the same in both. */
export function differing(one: string, other: string): string[] {
  const names = new Set([...readdirSync(one), ...readdirSync(other)]);
  return [...names].sort().filter((name) => {
    const [a, b] = [join(one, name), join(other, name)];
    return !existsSync(a) || !existsSync(b) || !readFileSync(a).equals(readFileSync(b));
  });
}
