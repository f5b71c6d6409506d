import { expect } from 'vitest';
import { filesOnServer } from './share.ts';

/**
 * The oids of a store in a folder of the shares, after a look at all of it on the server's own disk: an object's bytes are
 * those that its name promises, and beside objects there are only the marker and, where `temp` allows it, our temp files.
 */
export async function soundOnServer(folder: string, temp: 'clean' | 'leftovers' = 'clean'): Promise<string[]> {
  const oids: string[] = [];
  for (const { path, sha256 } of await filesOnServer(folder)) {
    if (path === 'lfs-depot.json') continue;
    if (temp === 'leftovers' && /^tmp\/depot-[a-z]+-[0-9a-f]+/.test(path)) continue;
    const oid = path.slice(path.lastIndexOf('/') + 1);
    expect(path).toBe(`${oid.slice(0, 2)}/${oid.slice(2, 4)}/${oid}`);
    expect(sha256).toBe(oid);
    oids.push(oid);
  }
  return oids;
}
