import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { describeBackend } from './conformance.ts';
import { folderStorage } from './folder-storage.ts';
import { sourceIn } from './source.ts';
import { ANCHOR } from './storage.ts';

/** A small Btrfs in a file, mounted for this file's tests: local files and store share blocks there. */
const home = mkdtempSync(join(tmpdir(), 'depot-clones-'));
const disk = join(home, 'disk');
const MIB = 1024 * 1024;
const lacking = mountBtrfs();

afterAll(() => {
  if (lacking === undefined) execFileSync('umount', [disk]);
  rmSync(home, { recursive: true, force: true });
});

if (lacking === undefined) {
  // The suite keeps its local files in the temp folder: both ends must be on the disk that clones.
  process.env.TMPDIR = disk;
  describeBackend('a folder on a filesystem that clones', () => folderStorage(disk));

  test('a large object is cloned up and down: there is no room for a copy', async () => {
    const local = mkdtempSync(join(disk, 'local-'));
    const storage = folderStorage(disk);
    try {
      const backend = storage.open();
      await backend.create();
      await backend.write(ANCHOR, Buffer.from('{}'));
      const source = sourceIn(local, 150 * MIB);
      expect(await backend.put('aa/file', source.file, source)).toBe('created');
      const { size, sha256 } = source;
      expect(await backend.get('aa/file', join(local, 'fetched'), { expect: { size, sha256 } })).toBe(size);
      expect(await backend.digest('aa/file')).toBe(sha256);
    } finally {
      storage.dispose();
      rmSync(local, { recursive: true });
    }
  });
} else {
  test.skip(`a folder on a filesystem that clones: ${lacking}`, () => {});
}

/** Why it could not be had; undefined when it is mounted. */
function mountBtrfs(): string | undefined {
  try {
    mkdirSync(disk);
    const image = join(home, 'image');
    writeFileSync(image, '');
    truncateSync(image, 300 * MIB);
    execFileSync('mkfs.btrfs', ['-q', '-m', 'single', image], { stdio: 'ignore' });
    execFileSync('mount', ['-o', 'loop', image, disk], { stdio: 'ignore' });
    return undefined;
  } catch (error) {
    return `no Btrfs can be mounted here, ${error}`;
  }
}
