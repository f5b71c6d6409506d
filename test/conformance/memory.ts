// A fake: a backend that keeps its files in this process. It follows backend.ts to the letter, without a disk's quirks.
import { createHash, randomBytes } from 'node:crypto';
import { close, open, read, rmSync, write } from 'node:fs';
import { promisify } from 'node:util';
import type { Backend, CallOptions, Entry } from '../../backends/backend.ts';
import { TEMP_NAME } from '../../backends/backend.ts';
import { cancelled, DepotError, throwIfCancelled } from '../../backends/errors.ts';
import { ANCHOR, type Storage, TEMP } from './storage.ts';

const openAsync = promisify(open);
const closeAsync = promisify(close);
const readAsync = promisify(read);
const writeAsync = promisify(write);

const BUFFER = 1024 * 1024;

interface Item {
  /** Undefined for a folder. */
  content: Buffer | undefined;
  changed: number;
  version: string;
}

/** One disk of memory. `items` is undefined while there is no root. */
class Disk {
  items: Map<string, Item> | undefined;
  #versions = 0;

  mounted(what: string): Map<string, Item> {
    if (this.items?.get(ANCHOR)) return this.items;
    const why = `not mounted: there is no ${ANCHOR}`;
    throw new DepotError('no-store', { what, why, cure: 'mount it' });
  }

  set(path: string, content: Buffer | undefined, age = 0): void {
    this.items ??= new Map();
    const folder = path.slice(0, Math.max(0, path.lastIndexOf('/')));
    if (folder !== '' && !this.items.has(folder)) this.set(folder, undefined, age);
    this.items.set(path, { content, changed: Date.now() - age, version: String(++this.#versions) });
  }

  below(folder: string): string[] {
    return [...(this.items?.keys() ?? [])].filter((path) => folder === '' || path.startsWith(`${folder}/`));
  }

  drop(path: string): void {
    for (const inner of this.below(path)) this.items?.delete(inner);
    this.items?.delete(path);
  }
}

export function memoryStorage(): Storage {
  const disk = new Disk();
  return {
    location: undefined,
    open: () => memoryBackend(disk),
    plant: (path, content, age) => disk.set(path, Buffer.from(content), age),
    plantFolder: (path, age) => disk.set(path, undefined, age),
    setAge(path, age) {
      const item = disk.items?.get(path);
      if (item) item.changed = Date.now() - age;
    },
    content: (path) => disk.items?.get(path)?.content,
    everything: () => disk.items && [...disk.items.keys()].sort(),
    unmount(how) {
      disk.items = how === 'gone' ? undefined : new Map();
    },
    dropFolder: (path) => disk.drop(path),
    dispose: () => {},
  };
}

function memoryBackend(disk: Disk): Backend {
  const file = (path: string, what: string): Item | undefined => {
    const item = disk.mounted(what).get(path);
    return item?.content && item;
  };
  const begin = (verb: string, path: string, o: CallOptions | undefined): string => {
    const what = `cannot ${verb} ${path} in memory`;
    throwIfCancelled(o?.signal, what);
    return what;
  };

  return {
    location: 'memory',
    temp: TEMP,
    capabilities: { reads: 'local', resumes: false },
    async create() {
      if (!disk.items?.has(TEMP)) disk.set(TEMP, undefined);
    },
    async stat(path, o) {
      const item = file(path, begin('look at', path, o));
      return item?.content && { path, size: item.content.length, version: item.version };
    },
    async *list(prefix, o): AsyncGenerator<Entry> {
      const what = begin('list', prefix, o);
      disk.mounted(what);
      for (const path of disk.below(prefix)) {
        throwIfCancelled(o?.signal, what);
        const item = file(path, what);
        if (!item?.content || path.startsWith(`${TEMP}/`)) continue;
        yield { path, size: item.content.length, version: item.version };
      }
    },
    async put(path, localFile, o) {
      const what = begin('store', path, o);
      disk.mounted(what);
      const temp = `${TEMP}/depot-put-${randomBytes(8).toString('hex')}`;
      disk.set(temp, Buffer.alloc(0));
      try {
        const content = await readLocal(localFile, o.size, o, what);
        throwIfCancelled(o.signal, what);
        const sha256 = createHash('sha256').update(content).digest('hex');
        if (content.length !== o.size || sha256 !== o.sha256) {
          const why = `${content.length} bytes with ${sha256}, not ${o.size} with ${o.sha256}`;
          throw new DepotError('corrupt', { what, why, cure: 'get a good copy' });
        }
        const standing = disk.mounted(what).get(path);
        if (standing && standing.version !== o.replace) return 'exists';
        disk.set(path, content);
        return 'created';
      } finally {
        disk.items?.delete(temp);
      }
    },
    async get(path, localFile, o) {
      const what = begin('fetch', path, o);
      const item = file(path, what);
      if (!item?.content) return undefined;
      const { size, sha256 } = o?.expect ?? {};
      const right = createHash('sha256').update(item.content).digest('hex');
      if (o?.expect && (size !== item.content.length || sha256 !== right)) {
        const why = `it has ${item.content.length} bytes, not ${size}, or another hash`;
        throw new DepotError('corrupt', { what, why, cure: 'put a good one there' });
      }
      await writeLocal(localFile, item.content, o, what);
      return item.content.length;
    },
    async digest(path, o) {
      const what = begin('read', path, o);
      const item = file(path, what);
      if (!item?.content) return undefined;
      const hash = createHash('sha256');
      for (let done = 0; done < item.content.length; done += BUFFER) {
        throwIfCancelled(o?.signal, what);
        hash.update(item.content.subarray(done, done + BUFFER));
        o?.onProgress?.(Math.min(done + BUFFER, item.content.length));
      }
      return hash.digest('hex');
    },
    async read(path, o) {
      const what = begin('read', path, o);
      const content = file(path, what)?.content;
      if (!content || content.length <= BUFFER) return content;
      throw new DepotError('corrupt', { what, why: `it has ${content.length} bytes`, cure: 'put the right one back' });
    },
    async write(path, content, o) {
      const what = begin('write', path, o);
      if (!disk.items?.has(TEMP)) disk.mounted(what);
      if (disk.items?.has(path)) return 'exists';
      disk.set(path, Buffer.from(content));
      return 'created';
    },
    async remove(path, o) {
      disk.mounted(begin('remove', path, o));
      disk.items?.delete(path);
      const folder = path.slice(0, Math.max(0, path.lastIndexOf('/')));
      if (folder.startsWith(`${TEMP}/`) && disk.below(folder).length === 0) disk.items?.delete(folder);
    },
    async sweep(olderThan, o) {
      const items = disk.mounted(begin('tidy', TEMP, o));
      const old = disk.below(TEMP).filter((path) => {
        const [, name = '', ...deeper] = path.split('/');
        return deeper.length === 0 && TEMP_NAME.test(name) && Date.now() - (items.get(path)?.changed ?? 0) > olderThan;
      });
      for (const path of old) disk.drop(path);
      return old.length;
    },
    async space(o) {
      disk.mounted(begin('look at', '', o));
      return undefined;
    },
    examine: async () => ({}),
    assume: () => {},
  };
}

async function readLocal(localFile: string, size: number, o: CallOptions, what: string): Promise<Buffer> {
  const fd = await openAsync(localFile, 'r').catch(() => {
    throw new DepotError('corrupt', { what, why: `${localFile} does not exist`, cure: 'get a good copy' });
  });
  try {
    const chunks: Buffer[] = [];
    for (let total = 0; ; ) {
      throwIfCancelled(o.signal, what);
      const { bytesRead, buffer } = await readAsync(fd, Buffer.alloc(BUFFER), 0, BUFFER, null);
      if (bytesRead === 0) return Buffer.concat(chunks);
      chunks.push(buffer.subarray(0, bytesRead));
      total += bytesRead;
      if (total <= size) o.onProgress?.(total);
    }
  } finally {
    await closeAsync(fd);
  }
}

async function writeLocal(localFile: string, content: Buffer, o: CallOptions | undefined, what: string): Promise<void> {
  const fd = await openAsync(localFile, 'wx').catch((error: unknown) => {
    throw new DepotError('conflict', { what, why: String(error), cure: 'choose another name' });
  });
  try {
    for (let done = 0; done < content.length; ) {
      throwIfCancelled(o?.signal, what);
      done += (await writeAsync(fd, content, done, Math.min(BUFFER, content.length - done))).bytesWritten;
      o?.onProgress?.(done);
    }
  } catch (error) {
    rmSync(localFile);
    throw o?.signal?.aborted ? cancelled(what) : error;
  } finally {
    await closeAsync(fd);
  }
}
