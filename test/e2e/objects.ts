import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { expect } from 'vitest';
import { filesBelow } from '../sandbox.ts';

/** The id of the object that a file of this content becomes. */
export function oidOf(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

/** The same for a file of any size. */
export async function oidOfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash);
  return hash.digest('hex');
}

/** `aa/bb/<oid>` below a store, or below the `lfs/objects` of a repository. */
export function objectFile(folder: string, oid: string): string {
  return join(folder, oid.slice(0, 2), oid.slice(2, 4), oid);
}

/** Every file below an objects folder, checked to be an object with the bytes that its name promises. Returns the oids. */
export function soundObjects(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return filesBelow(folder).map((path) => {
    const oid = path.slice(path.lastIndexOf('/') + 1);
    expect(path).toBe(objectFile('', oid));
    expect(oidOf(readFileSync(join(folder, path)))).toBe(oid);
    return oid;
  });
}

/** The oids of a store, after a look at all of it: sound objects, the marker, no temp files, nothing else. */
export function soundStore(store: string): string[] {
  const paths = filesBelow(store).filter((path) => path !== 'lfs-depot.json');
  expect(existsSync(join(store, 'lfs-depot.json'))).toBe(true);
  expect(readdirSync(join(store, 'tmp'))).toEqual([]);
  for (const path of paths) {
    const oid = path.slice(path.lastIndexOf('/') + 1);
    expect(path).toBe(objectFile('', oid));
    expect(oidOf(readFileSync(join(store, path)))).toBe(oid);
  }
  return paths.map((path) => path.slice(path.lastIndexOf('/') + 1)).sort();
}

/** Two worktrees hold the same files with the same bytes. */
export function expectSameWorktree(left: string, right: string): void {
  const own = (folder: string) => filesBelow(folder).filter((path) => !/(^|\/)\.git(\/|$)/.test(path));
  expect(own(left)).toEqual(own(right));
  for (const path of own(left)) {
    expect(readFileSync(join(left, path)).equals(readFileSync(join(right, path))), path).toBe(true);
  }
}
