import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Cache, cacheIn } from '../../agent/cache/cache.ts';
import { type Oid, parseOid } from '../../agent/oid.ts';
import { filesBelow } from '../sandbox.ts';

/** The smallest bound that can be configured, in bytes. */
export const MIB = 1024 ** 2;

export interface Source {
  oid: Oid;
  size: number;
  file: string;
}

interface User {
  uid: number;
  groups: number[];
  umask: number;
}

/** What another process (cache-user.ts) is to do. */
export interface CacheUser {
  who: User | undefined;
  folder: string;
  bound: number;
  calls: (Source & { verb: 'get' | 'add' })[];
}

/** A cache of 1 MiB in a folder of its own, and files to put there. */
export class CacheBox {
  readonly home: string;
  readonly folder: string;
  #number = 0;

  constructor(parent = tmpdir()) {
    this.home = mkdtempSync(join(parent, 'depot-cache-'));
    this.folder = join(this.home, 'cache');
    chmodSync(this.home, 0o755);
  }

  /** As another process would open it. */
  open(bound = MIB): Cache {
    return cacheIn({ folder: this.folder, bound });
  }

  source(size: number): Source {
    const content = randomBytes(size);
    const file = this.target();
    writeFileSync(file, content);
    return { file, size, oid: parseOid(createHash('sha256').update(content).digest('hex'))! };
  }

  /** A name for a local file. */
  target(): string {
    return join(this.home, `local-${this.#number++}`);
  }

  /** Whether the cache has it; throws when it gives anything else than the right bytes. */
  async hits(cache: Cache, { oid, size, file }: Source): Promise<boolean> {
    const target = this.target();
    const isHit = await cache.get(oid, size, target);
    if (isHit !== existsSync(target)) throw new Error(`${isHit}, but there is ${isHit ? 'no' : 'a'} local file`);
    if (isHit && !readFileSync(target).equals(readFileSync(file))) throw new Error('a hit with wrong bytes');
    return isHit;
  }

  /** Where an object is kept. */
  fileOf({ oid }: Source): string {
    return join(this.folder, oid.slice(0, 2), oid.slice(2, 4), oid);
  }

  /** The objects in it, whatever a cache says of them. */
  oids(): string[] {
    if (!existsSync(this.folder)) return [];
    return filesBelow(this.folder)
      .map((path) => path.slice(path.lastIndexOf('/') + 1))
      .filter((name) => parseOid(name));
  }

  /** Bytes of the objects in it. */
  bytes(): number {
    if (!existsSync(this.folder)) return 0;
    const objects = filesBelow(this.folder).filter((path) => parseOid(path.slice(path.lastIndexOf('/') + 1)));
    return objects.reduce((sum, path) => sum + statSync(join(this.folder, path)).size, 0);
  }

  /** Makes an object as old as if it had not been used for so many minutes. */
  age(source: Source, minutes: number): void {
    const then = Date.now() / 1000 - 60 * minutes;
    utimesSync(this.fileOf(source), then, then);
  }

  /** Lets another process make calls; its outcomes, and what it traces. */
  inProcess(calls: CacheUser['calls'], who?: User): { outcomes: unknown[]; traces: string[] } {
    const user: CacheUser = { who, folder: this.folder, bound: MIB, calls };
    const program = resolve(import.meta.dirname, 'cache-user.ts');
    const { status, stdout, stderr } = spawnSync(process.execPath, [program], {
      input: JSON.stringify(user),
      encoding: 'utf8',
      env: { ...process.env, GIT_TRACE: '1' },
      // Should it hang: far longer than it takes.
      timeout: 60_000,
      killSignal: 'SIGKILL',
    });
    if (status !== 0) throw new Error(`it ended with ${status}: ${stderr}`);
    return {
      outcomes: JSON.parse(stdout),
      traces: stderr.split('\n').filter((line) => line.startsWith('lfs-depot: ')),
    };
  }

  remove(): void {
    rmSync(this.home, { recursive: true, force: true });
  }
}
