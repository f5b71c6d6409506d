import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { filesBelow } from '../sandbox.ts';

/** Objects below a folder, `aa/bb/<oid>`, whose bytes are hashed once and again whenever they change. */
export class CheckedObjects {
  readonly folder: string;
  readonly #others: RegExp;
  readonly #seen = new Map<string, string>();

  /** @param others the paths of what else may be there. */
  constructor(folder: string, others = /^(lfs-depot\.json$|tmp\/)/) {
    this.folder = folder;
    this.#others = others;
  }

  /** The oids that are there. @throws when one has wrong bytes. */
  check(): Set<string> {
    const oids = new Set<string>();
    for (const path of existsSync(this.folder) ? filesBelow(this.folder) : []) {
      const [, oid] = /^[0-9a-f]{2}\/[0-9a-f]{2}\/([0-9a-f]{64})$/.exec(path) ?? [];
      if (!oid) {
        if (this.#others.test(path)) continue;
        throw new Error(`a file that has no business there: ${join(this.folder, path)}`);
      }
      this.#hashIfChanged(oid, join(this.folder, path));
      oids.add(oid);
    }
    return oids;
  }

  #hashIfChanged(oid: string, file: string): void {
    const { ino, size, mtimeNs } = statSync(file, { bigint: true });
    const version = `${ino} ${size} ${mtimeNs}`;
    if (this.#seen.get(oid) === version) return;
    const found = createHash('sha256').update(readFileSync(file)).digest('hex');
    if (found !== oid) throw new Error(`${file} has ${size} bytes with the hash ${found}`);
    this.#seen.set(oid, version);
  }
}
