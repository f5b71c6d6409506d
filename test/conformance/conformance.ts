import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe } from 'vitest';
import { ANCHOR, type Bench, type Storage, type Traits } from './storage.ts';
import { cancelling } from './suite/cancelling.ts';
import { listing } from './suite/listing.ts';
import { mounting } from './suite/mounting.ts';
import { progress } from './suite/progress.ts';
import { racing } from './suite/racing.ts';
import { reading } from './suite/reading.ts';
import { tidying } from './suite/tidying.ts';
import { writing } from './suite/writing.ts';

/**
 * The contract of backends/backend.ts as tests. A backend joins with a `Storage`: how a fresh one is made, opened, and
 * reached by the back door.
 *
 *     describeBackend('a folder', () => folderStorage(tmpdir()));
 */
export function describeBackend(name: string, prepare: () => Storage, traits: Traits = {}): void {
  describe(name, () => {
    let bench: Bench | undefined;

    beforeEach(async () => {
      const storage = prepare();
      const backend = storage.open();
      bench = { storage, backend, local: mkdtempSync(join(tmpdir(), 'depot-local-')) };
      await backend.create();
      await backend.write(ANCHOR, Buffer.from('{}'));
    });

    afterEach(() => {
      bench?.storage.dispose();
      if (bench) rmSync(bench.local, { recursive: true, force: true });
      bench = undefined;
    });

    const current = (): Bench => {
      if (!bench) throw new Error('no storage stands');
      return bench;
    };
    describe('writing', () => writing(current));
    describe('reading', () => reading(current));
    describe('listing', () => listing(current));
    describe('cancelling', () => cancelling(current));
    describe('progress', () => progress(current));
    describe('racing', () => racing(current, traits));
    describe('tidying', () => tidying(current));
    describe('mounting', () => mounting(current, prepare));
  });
}
