import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Backend } from '../../backends/backend.ts';
import { sourceIn } from '../conformance/source.ts';
import { tempIn } from '../conformance/storage.ts';
import type { FaultyStore } from './faulty-store.ts';

/** One call of a backend, with one of its requests in the focus. */
export interface Deed {
  name: string;
  /** The method of that request. */
  method: string;
  /** Whether it has a body. */
  sends: boolean;
  /** Bytes of its answer's body, at least; 0 without one. */
  response: number;
  /**
   * Makes the call, with a path of its own. It succeeds with the right outcome, or fails as the backend does; in either
   * case nothing wrong stands under the final name, or is left in the local file.
   */
  run(store: FaultyStore, backend: Backend): Promise<void>;
}

const SMALL = 300_000;
const LARGE = 3_000_000;
/** Less than Apache's page about what it has done. */
const PAGE = 150;

export const putSmall: Deed = { name: 'put', method: 'PUT', sends: true, response: PAGE, run: putting(SMALL) };
export const putLarge: Deed = { ...putSmall, name: 'put of a large file', sends: true, run: putting(LARGE) };
export const move: Deed = { name: 'put', method: 'MOVE', sends: false, response: PAGE, run: putting(1000) };
export const makeFolder: Deed = { ...move, method: 'MKCOL' };
export const lookAfterPut: Deed = { ...move, method: 'HEAD', response: 0 };

export const stat: Deed = {
  name: 'stat',
  method: 'HEAD',
  sends: false,
  response: 0,
  async run({ storage }, backend) {
    const path = freshPath();
    storage.plant(path, 'hello');
    expect((await backend.stat(path))?.size).toBe(5);
  },
};

export const get: Deed = {
  name: 'get',
  method: 'GET',
  sends: false,
  response: LARGE,
  async run({ storage, local }, backend) {
    const path = freshPath();
    const source = sourceIn(local, LARGE);
    // What is older than its server's clock ticks has a version to go on with.
    storage.plant(path, source.content, 10_000);
    const file = join(local, randomBytes(8).toString('hex'));
    try {
      expect(await backend.get(path, file, { expect: source })).toBe(LARGE);
    } catch (error) {
      expect(existsSync(file)).toBe(false);
      throw error;
    }
    expect(readFileSync(file).equals(source.content)).toBe(true);
  },
};

export const list: Deed = {
  name: 'list',
  method: 'PROPFIND',
  sends: true,
  response: 1000,
  async run({ storage }, backend) {
    const path = freshPath();
    storage.plant(path, 'hello');
    const found: string[] = [];
    for await (const entry of backend.list(path.slice(0, 5))) found.push(`${entry.path} ${entry.size}`);
    expect(found).toEqual([`${path} 5`]);
  },
};

export const remove: Deed = {
  name: 'remove',
  method: 'DELETE',
  sends: false,
  response: 0,
  async run({ storage }, backend) {
    const path = freshPath();
    storage.plant(path, 'hello');
    await backend.remove(path);
    expect(storage.content(path)).toBe(undefined);
  },
};

export const DEEDS = [putSmall, putLarge, move, makeFolder, lookAfterPut, stat, get, list, remove];

function putting(size: number): Deed['run'] {
  return async ({ storage, local }, backend) => {
    const path = freshPath();
    const source = sourceIn(local, size);
    // Apache's own are gone once it has noticed that a connection is.
    const temps = (): string[] => tempIn(storage).filter((name) => name.includes('depot-'));
    const before = temps();
    try {
      expect(await backend.put(path, source.file, source)).toBe('created');
    } catch (error) {
      const there = storage.content(path);
      expect(there === undefined || there.equals(source.content)).toBe(true);
      throw error;
    }
    expect(storage.content(path)?.equals(source.content)).toBe(true);
    expect(temps()).toEqual(before);
  };
}

/** As of an object, in a folder that is not there yet. */
export function freshPath(): string {
  const oid = randomBytes(32).toString('hex');
  return `${oid.slice(0, 2)}/${oid.slice(2, 4)}/${oid}`;
}
