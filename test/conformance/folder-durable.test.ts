import { afterEach, beforeEach, expect, test } from 'vitest';
import { DIRECT } from '../../backends/folder/calls.ts';
import { openFolder } from '../../backends/folder/folder.ts';
import { Sandbox } from '../sandbox.ts';
import { putOneFile } from '../stored-file.ts';

let box: Sandbox;
beforeEach(() => {
  box = new Sandbox();
});
afterEach(() => box.remove());

/** How often something is put on the disk for good while a small file is stored. */
async function syncsOf(durable: boolean): Promise<number> {
  let syncs = 0;
  const calls = {
    ...DIRECT,
    fsync: (fd: number) => {
      syncs++;
      return DIRECT.fsync(fd);
    },
  };
  const root = box.path(`store-${durable}`);
  const options = { location: root, anchor: 'anchor', temp: 'tmp', platform: process.platform, durable };
  const backend = openFolder(root, { ...options, calls });
  await putOneFile(box, backend, () => {
    syncs = 0;
  });
  return syncs;
}

test('a file and its folder are synced, unless nothing has to survive a loss of power', async () => {
  expect(await syncsOf(true)).toBeGreaterThanOrEqual(2);
  expect(await syncsOf(false)).toBe(0);
});
