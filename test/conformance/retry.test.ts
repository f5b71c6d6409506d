import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { objectPath } from '../../agent/layout.ts';
import { parseOid } from '../../agent/oid.ts';
import { storeOver } from '../../agent/store.ts';
import type { Backend } from '../../backends/backend.ts';
import { DepotError } from '../../backends/errors.ts';
import { retrying } from '../../backends/layers/retry.ts';
import { randomNumbers } from '../random-numbers.ts';
import { describeBackend } from './conformance.ts';
import { type Flaky, flaky } from './flaky.ts';
import { folderStorage } from './folder-storage.ts';
import { sourceIn } from './source.ts';
import { ANCHOR, type Storage, tempIn } from './storage.ts';

const SEED = Number(process.env.RETRY_SEED ?? Math.floor(Math.random() * 2 ** 31));
/** So many that a third of all calls never fails them all. */
const RETRIES = { count: 30, pause: 1 };

const random = randomNumbers(SEED);
const made: Flaky[] = [];

function unreliable(backend: Backend): Flaky {
  const layer = flaky(backend, random);
  made.push(layer);
  return layer;
}

/**
 * All that the contract promises holds over storage that fails at random, but for what no layer can know: whether it was our own
 * `put` that `exists`, when the answer to an earlier try was lost, and how much an earlier sweep has removed. There, and nowhere
 * else, the test says what the storage knows.
 */
function withLostOutcomes(below: Flaky, above: Backend): Backend {
  const outcome = async (path: string, told: ReturnType<Backend['put']>) => {
    const result = await told;
    return below.lostOutcome(path) === 'created' ? 'created' : result;
  };
  return {
    ...above,
    put: (path, file, o) => outcome(path, above.put(path, file, o)),
    write: (path, content, o) => outcome(path, above.write(path, content, o)),
    sweep: async (olderThan, o) => (await above.sweep(olderThan, o)) + below.lostSwept(),
  };
}

function flakyFolder(): Storage {
  const storage = folderStorage(tmpdir());
  const open = (): Backend => {
    const below = unreliable(storage.open());
    return withLostOutcomes(below, retrying(below, RETRIES));
  };
  return { ...storage, open };
}

// Other processes open a folder without this layer: their part of the suite is that of folder.test.ts.
describeBackend(`a folder that fails at random, tried again (RETRY_SEED=${SEED})`, flakyFolder, { inProcess: true });

describe(`objects in a folder that fails at random (RETRY_SEED=${SEED})`, () => {
  const storage = folderStorage(tmpdir());
  const local = mkdtempSync(join(tmpdir(), 'depot-local-'));
  afterAll(() => {
    storage.dispose();
    rmSync(local, { recursive: true });
  });

  test('are stored, healed and fetched, whatever became of the answers', async () => {
    const backend = retrying(unreliable(storage.open()), RETRIES);
    await backend.create();
    await backend.write(ANCHOR, Buffer.from('{}'));
    const store = storeOver(backend, { objects: '', verify: 'content' });
    const paths: string[] = [ANCHOR];
    for (let index = 0; index < 60; index++) {
      const source = sourceIn(local, index % 6 === 0 ? 1_500_000 : 2000);
      const oid = parseOid(source.sha256)!;
      const damaged = index % 3 === 0;
      if (damaged) storage.plant(objectPath(oid), Buffer.alloc(source.size));
      const told: number[] = [];
      const kept = await store.put(oid, source.size, source.file, { onProgress: (bytes) => told.push(bytes) });
      // `present`: the try whose answer was lost had stored it, and the next look found it right.
      expect([damaged ? 'healed' : 'stored', 'present']).toContain(kept);
      expect(storage.content(objectPath(oid))?.equals(source.content)).toBe(true);
      expect(Math.max(...told)).toBeLessThanOrEqual(source.size);
      const copy = join(local, `copy-${index}`);
      await store.get(oid, source.size, copy);
      expect(readFileSync(copy).equals(source.content)).toBe(true);
      paths.push(objectPath(oid));
    }
    const listed: string[] = [];
    for await (const { path } of backend.list('')) listed.push(path);
    expect(listed.sort()).toEqual(paths.sort());
    expect(tempIn(storage)).toEqual([]);
  });

  test('a put whose answer was lost says that it exists, and it does', async () => {
    const inner = storage.open();
    for (const replace of [false, true]) {
      let calls = 0;
      const forgetful: Backend = {
        ...inner,
        put: async (...args) => {
          const outcome = await inner.put(...args);
          if (calls++ > 0) return outcome;
          expect(outcome).toBe('created');
          const why = 'its answer was lost';
          throw new DepotError('unreachable', { what: 'cannot store it', why, cure: 'wait', temporary: true });
        },
      };
      const source = sourceIn(local, 5000);
      const path = `lost/${replace}`;
      if (replace) storage.plant(path, 'damaged', 60_000);
      const version = replace ? (await inner.stat(path))?.version : undefined;
      const backend = retrying(forgetful, RETRIES);
      await backend.stat(path);
      expect(await backend.put(path, source.file, { ...source, replace: version })).toBe('exists');
      expect(calls).toBe(2);
      expect(storage.content(path)?.equals(source.content)).toBe(true);
    }
  });
});

test('calls did fail: before, in the middle, and after', () => {
  const sum = (moment: 'before' | 'middle' | 'after') => made.reduce((all, { failed }) => all + failed[moment], 0);
  expect(sum('before')).toBeGreaterThan(100);
  expect(sum('middle')).toBeGreaterThan(10);
  expect(sum('after')).toBeGreaterThan(100);
});
