import { createHash, randomBytes } from 'node:crypto';
import { closeSync, openSync, readdirSync, readFileSync, statfsSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DIRECT, WAITING } from '../../backends/folder/calls.ts';
import { openFolder } from '../../backends/folder/folder.ts';
import type { Place } from '../../backends/folder/place.ts';
import { openUncached } from '../../backends/folder/uncached.ts';
import { Sandbox } from '../sandbox.ts';

let box: Sandbox;
beforeEach(() => {
  box = new Sandbox();
});
afterEach(() => box.remove());

const isSuited = (path: string): boolean =>
  process.platform === 'linux' && [0xef53, 0x58465342].includes(statfsSync(path).type);

/** Whether writes to a new file in `root` go past the system's cache. */
async function bypasses(root: string, changes: Partial<Place> = {}): Promise<boolean> {
  const file = openSync(`${root}/file`, 'w+');
  const { platform } = process;
  const place = { root, platform, durable: true, calls: DIRECT, memory: {}, lacks: new Set(), hopeless: new Set() };
  const fd = await openUncached({ ...place, location: root, anchor: '', temp: '', ...changes } as Place, file);
  closeSync(file);
  if (fd === undefined) return false;
  const flags = /flags:\s+(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '0';
  closeSync(fd);
  // The octal number that x64 has for O_DIRECT.
  return process.arch !== 'x64' || (Number.parseInt(flags, 8) & 0o40000) !== 0;
}

test('only what is durable, on a disk, is written past the cache', async () => {
  expect(await bypasses(box.root)).toBe(isSuited(box.root));
  expect(await bypasses(box.root, { durable: false })).toBe(false);
  expect(await bypasses(box.root, { calls: WAITING })).toBe(false);
  expect(await bypasses(box.root, { platform: 'win32' })).toBe(false);
});

test.runIf(process.platform === 'linux')('in memory nothing is', async () => {
  const memory = new Sandbox('/dev/shm');
  expect(await bypasses(memory.root)).toBe(isSuited(memory.root));
  memory.remove();
});

test.runIf(process.platform === 'linux')(
  'an object of any size is stored whole, and no descriptor is left',
  async () => {
    const root = box.path('store');
    const options = { location: root, anchor: 'anchor', temp: 'tmp', platform: process.platform };
    const backend = openFolder(root, options);
    await backend.create();
    await backend.write('anchor', Buffer.from('here'));
    const inUse = (): number => readdirSync('/proc/self/fd').length;
    const before = inUse();
    for (const size of [1_048_577, 3_145_728, 9_000_001]) {
      const content = randomBytes(size);
      const sha256 = createHash('sha256').update(content).digest('hex');
      expect(await backend.put(`${size}`, box.write('object', content), { size, sha256 })).toBe('created');
      expect(readFileSync(`${root}/${size}`).equals(content)).toBe(true);
    }
    expect(inUse()).toBe(before);
  },
);
