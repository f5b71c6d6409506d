import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Backend } from '../../backends/backend.ts';
import { openFolder } from '../../backends/folder/folder.ts';
import { expectFailure } from './failure.ts';
import { sourceIn } from './source.ts';
import { ANCHOR, TEMP } from './storage.ts';

const MIB = 1024 * 1024;

/** A disk of 4 MiB and 24 files, which one may be allowed to mount. */
const disk = mkdtempSync(join(tmpdir(), 'depot-full-'));
const mounting = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m,nr_inodes=24', 'tmpfs', disk], { encoding: 'utf8' });

if (mounting.status !== 0) {
  rmdirSync(disk);
  test.skip(`a full disk: a small one cannot be mounted here (${mounting.stderr ?? mounting.error})`, () => {});
} else {
  const local = mkdtempSync(join(tmpdir(), 'depot-local-'));
  let root: string;
  let backend: Backend;
  let turn = 0;

  beforeAll(() => expect(statfsSync(disk).type).toBe(0x01021994));
  beforeEach(async () => {
    root = join(disk, `store-${turn++}`);
    backend = openFolder(root, { location: root, anchor: ANCHOR, temp: TEMP, platform: process.platform });
    await backend.create();
    await backend.write(ANCHOR, Buffer.from('{}'));
  });
  afterEach(() => {
    for (const name of readdirSync(disk)) rmSync(join(disk, name), { recursive: true });
  });
  afterAll(() => {
    spawnSync('umount', [disk]);
    rmdirSync(disk);
    rmSync(local, { recursive: true });
  });

  test.each([MIB / 2, 5 * MIB])(
    '%i bytes that do not fit are refused, nothing is left, and later they are stored',
    async (size) => {
      const room = Math.min(size - MIB / 4, 3 * MIB);
      writeFileSync(join(disk, 'ballast'), Buffer.alloc(4 * MIB - room - MIB / 8));
      const source = sourceIn(local, size);
      const error = await expectFailure(backend.put('aa/bb/file', source.file, source), 'no-space');
      expect(error.why).toBe('no space left on device (ENOSPC)');
      expect(await backend.stat('aa/bb/file')).toBeUndefined();
      expect(readdirSync(join(root, TEMP))).toEqual([]);

      rmSync(join(disk, 'ballast'));
      if (size > 3 * MIB) return;
      expect(await backend.put('aa/bb/file', source.file, source)).toBe('created');
      expect(await backend.digest('aa/bb/file')).toBe(source.sha256);
    },
  );

  test('what was stored before the disk was full is kept', async () => {
    const [fits, over] = [sourceIn(local, 2 * MIB), sourceIn(local, 3 * MIB)];
    expect(await backend.put('aa/fits', fits.file, fits)).toBe('created');
    await expectFailure(backend.put('aa/over', over.file, over), 'no-space');
    expect(await backend.digest('aa/fits')).toBe(fits.sha256);
    expect(await backend.put('aa/fits', over.file, over).catch((error) => error.kind)).toBe('no-space');
  });

  test('a full disk does not lose the damaged object that could not be replaced', async () => {
    mkdirSync(join(root, 'aa'));
    writeFileSync(join(root, 'aa/file'), Buffer.alloc(2 * MIB));
    const source = sourceIn(local, 3 * MIB);
    const replace = (await backend.stat('aa/file'))?.version;
    await expectFailure(backend.put('aa/file', source.file, { ...source, replace }), 'no-space');
    expect((await backend.stat('aa/file'))?.version).toBe(replace);
  });

  test('a disk that has room for bytes but for no more files is full as well', async () => {
    const source = sourceIn(local, 100);
    for (let index = 0; statfsSync(disk).ffree > 0; index++) writeFileSync(join(disk, `ballast-${index}`), '');
    await expectFailure(backend.put('aa/bb/file', source.file, source), 'no-space');
    rmSync(join(disk, 'ballast-0'));
    rmSync(join(disk, 'ballast-1'));
    // Room for the temp file, not for both folders: what was begun is taken back.
    await expectFailure(backend.put('aa/bb/file', source.file, source), 'no-space');
    expect(readdirSync(join(root, TEMP))).toEqual([]);
    rmSync(join(disk, 'ballast-2'));
    rmSync(join(disk, 'ballast-3'));
    expect(await backend.put('aa/bb/file', source.file, source)).toBe('created');
  });

  test('a write of the anchor that does not fit leaves nothing', async () => {
    writeFileSync(join(disk, 'ballast'), Buffer.alloc(4 * MIB - MIB / 4));
    await expectFailure(backend.write('small', Buffer.alloc(MIB / 2)), 'no-space');
    expect(readdirSync(root).sort()).toEqual([ANCHOR, TEMP]);
    expect(readdirSync(join(root, TEMP))).toEqual([]);
  });

  test('the space that is told is what is left', async () => {
    const before = await backend.space();
    expect(before).toBeGreaterThan(3 * MIB);
    writeFileSync(join(disk, 'ballast'), Buffer.alloc(2 * MIB));
    expect(await backend.space()).toBe((before ?? 0) - 2 * MIB);
  });
}
