import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Sandbox } from '../sandbox.ts';

let box: Sandbox;
beforeEach(() => {
  box = new Sandbox();
});
afterEach(() => box.remove());

test('a plain git clone fetches the objects of a store, with no step in the clone', async () => {
  await box.team();
  box.write('alice/small.bin', 1000);
  box.write('alice/large.bin', 3_000_000);
  await box.push('alice');
  await box.git('.', 'clone', '-q', 'remote.git', 'bob');
  for (const name of ['small.bin', 'large.bin']) {
    expect(readFileSync(box.path('bob', name))).toEqual(readFileSync(box.path('alice', name)));
  }
});
