import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { filesBelow } from '../sandbox.ts';
import { objectFile, oidOf } from './objects.ts';

/** The oids that wait in the git folder of a clone, after a look at each: its place, its bytes. */
export function waitingIn(gitDir: string): string[] {
  return spoolsIn(gitDir).flatMap(objectsOf).sort();
}

/** What killed writers have left there. */
export function leftoversIn(gitDir: string): string[] {
  return spoolsIn(gitDir).flatMap((folder) =>
    readdirSync(join(folder, 'tmp')).map((name) => join(folder, 'tmp', name)),
  );
}

/** The folders of the spools. */
export function spoolsIn(gitDir: string): string[] {
  const parent = join(gitDir, 'lfs-depot', 'spool');
  if (!existsSync(parent)) return [];
  const folders = readdirSync(parent).map((name) => join(parent, name));
  return folders.filter((folder) => existsSync(join(folder, 'location')));
}

function objectsOf(folder: string): string[] {
  const paths = filesBelow(folder).filter((path) => !/^(location|claim|away|told-[a-z]+|tmp\/.*)$/.test(path));
  return paths.map((path) => {
    const oid = path.slice(path.lastIndexOf('/') + 1);
    expect(path).toBe(objectFile('', oid));
    expect(oidOf(readFileSync(join(folder, path)))).toBe(oid);
    return oid;
  });
}
