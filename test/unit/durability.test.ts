import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Config, configOf } from '../../agent/config.ts';
import { durabilityFrom } from '../../agent/durability.ts';
import { openAt } from '../../agent/open-store.ts';
import { DIRECT, ON_DISK, WAITING } from '../../backends/folder/calls.ts';
import { Sandbox } from '../sandbox.ts';
import { putOneFile } from '../stored-file.ts';

let box: Sandbox;
beforeEach(() => {
  box = new Sandbox();
});
afterEach(() => box.remove());

function configWith(value: string | undefined): Config {
  return configOf(value === undefined ? [] : [{ scope: 'global', key: 'depot.fsync', value }]);
}

test.each([
  [undefined, true],
  ['true', true],
  ['1', true],
  ['false', false],
  ['off', false],
])('depot.fsync %s is %s', (value, durable) => {
  expect(durabilityFrom(configWith(value))).toBe(durable);
});

test('what is no boolean is told', () => {
  expect(() => durabilityFrom(configWith('never'))).toThrow(
    "cannot use depot.fsync: 'never' is neither true nor false",
  );
});

/** How often an object's put in a folder asks the system for an fsync. */
async function syncsOf(value: string | undefined): Promise<number> {
  const all = [DIRECT, ON_DISK, WAITING];
  const before = all.map(({ fsync }) => fsync);
  let syncs = 0;
  for (const calls of all) calls.fsync = () => void syncs++;
  try {
    const root = box.path(`store-${value}`);
    const backend = await openAt({ kind: 'folder', path: root }, 'anchor', configWith(value));
    await putOneFile(box, backend, () => {
      syncs = 0;
    });
    return syncs;
  } finally {
    for (const [index, calls] of all.entries()) calls.fsync = before[index]!;
  }
}

test('a store in a folder is synced unless depot.fsync is false', async () => {
  expect(await syncsOf(undefined)).toBe(2);
  expect(await syncsOf('true')).toBe(2);
  expect(await syncsOf('false')).toBe(0);
});
