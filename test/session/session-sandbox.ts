import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { filesBelow, Sandbox } from '../sandbox.ts';

/** A local file and what git-lfs would say of it. */
export interface LocalObject {
  oid: string;
  size: number;
  path: string;
}

/** A sandbox with one repository, `repo`, and one store, `store`, for the agent alone: no git-lfs runs in it. */
export class SessionSandbox extends Sandbox {
  readonly store = this.path('store');
  #made = 0;

  static async make(): Promise<SessionSandbox> {
    const box = new SessionSandbox();
    await box.git('.', 'init', '-q', 'repo');
    await box.depot('repo', 'init', box.store);
    return box;
  }

  /** An object of random bytes. */
  object(size: number): LocalObject {
    return this.objectOf(randomBytes(size));
  }

  objectOf(content: Buffer): LocalObject {
    const path = this.write(`local/${this.#made++}`, content);
    return { oid: sha256(content), size: content.length, path };
  }

  /**
   * A large object that takes no room on the disk until it is copied. Its oid is made up: an agent that is stopped on
   * the way never learns that.
   */
  hugeObject(size: number): LocalObject {
    const path = this.write(`local/${this.#made++}`, '');
    truncateSync(path, size);
    return { oid: randomBytes(32).toString('hex'), size, path };
  }

  read(path: string): Buffer {
    return readFileSync(path);
  }

  /** Where the store keeps an object. */
  stored(oid: string): string {
    return this.path('store', oid.slice(0, 2), oid.slice(2, 4), oid);
  }

  /** Puts an object into the store, past the agent. */
  putIntoStore({ oid, path }: LocalObject): void {
    mkdirSync(dirname(this.stored(oid)), { recursive: true });
    cpSync(path, this.stored(oid));
  }

  /** The oids under final names. */
  get objects(): string[] {
    return filesBelow(this.store)
      .filter((path) => /^[0-9a-f]{2}\//.test(path))
      .map((path) => path.slice(6));
  }

  /** What lies in the temp folders of the store and of the repository. */
  get leftovers(): string[] {
    const folders = [this.path('store', 'tmp'), this.path('repo', '.git', 'lfs', 'tmp')];
    return folders.filter(existsSync).flatMap((folder) => readdirSync(folder));
  }

  /** Where files are cloned (APFS, Btrfs, XFS), no download is ever under way. */
  get clonesFiles(): boolean {
    const [from, to] = [this.path('clone-from'), this.path('clone-to')];
    closeSync(openSync(from, 'w'));
    try {
      copyFileSync(from, to, constants.COPYFILE_FICLONE_FORCE);
      return true;
    } catch {
      return false;
    } finally {
      for (const file of [from, to]) rmSync(file, { force: true });
    }
  }
}

export function upload({ oid, size, path }: LocalObject) {
  return { event: 'upload', oid, size, path, action: null };
}

export function download({ oid, size }: { oid: string; size: number }) {
  return { event: 'download', oid, size, action: null };
}

export function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

export function sha256OfFile(path: string): string {
  return sha256(readFileSync(path));
}
