import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { parseOid } from '../../agent/oid.ts';
import { spoolFor } from '../../agent/spool/spool.ts';
import { expectFailure } from '../conformance/failure.ts';
import { sourceIn } from '../conformance/source.ts';

const MIB = 1024 * 1024;

/** The disk of a clone, of 4 MiB, which one may be allowed to mount. */
const disk = mkdtempSync(join(tmpdir(), 'depot-full-'));
const mounting = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk], { encoding: 'utf8' });

if (mounting.status !== 0) {
  rmdirSync(disk);
  test.skip(`a full disk: a small one cannot be mounted here (${mounting.stderr ?? mounting.error})`, () => {});
} else {
  const local = mkdtempSync(join(tmpdir(), 'depot-local-'));
  afterAll(() => {
    spawnSync('umount', [disk]);
    rmdirSync(disk);
    rmSync(local, { recursive: true });
  });

  test('an object that does not fit is refused with where to make room, and what was kept stays', async () => {
    const spool = spoolFor(disk, '//server/share/art');
    const objectOf = (size: number) => {
      const source = sourceIn(local, size);
      return { ...source, oid: parseOid(source.sha256)! };
    };
    const [fits, over] = [objectOf(MIB), objectOf(2 * MIB)];
    expect(await spool.put(fits.oid, fits.size, fits.file)).toBe('spooled');
    writeFileSync(join(disk, 'ballast'), Buffer.alloc(2 * MIB));
    const error = await expectFailure(spool.put(over.oid, over.size, over.file), 'no-space');
    expect(error.what).toBe(`cannot keep ${over.oid} on this computer, for //server/share/art`);
    expect(error.why).toBe('no space left on device (ENOSPC)');
    expect(error.cure).toContain('make room on the disk of this clone, then push again');
    expect(readdirSync(join(spool.folder, 'tmp'))).toEqual([]);
    expect(await spool.has(over.oid)).toBe(false);
    expect(await spool.get(fits.oid, fits.size, join(local, 'fetched'))).toBe(true);

    rmSync(join(disk, 'ballast'));
    expect(await spool.put(over.oid, over.size, over.file)).toBe('spooled');
  });

  test('a disk without room for the spool itself is the same', async () => {
    for (const name of readdirSync(disk)) rmSync(join(disk, name), { recursive: true });
    const source = sourceIn(local, 10);
    writeFileSync(join(disk, 'ballast'), '');
    const filling = spawnSync('dd', ['if=/dev/zero', `of=${join(disk, 'ballast')}`, 'bs=64k', 'count=100']);
    expect(filling.status).toBe(1);
    const spool = spoolFor(disk, '//server/share/art');
    await expectFailure(spool.put(parseOid(source.sha256)!, source.size, source.file), 'no-space');
    rmSync(join(disk, 'ballast'));
    expect(await spool.put(parseOid(source.sha256)!, source.size, source.file)).toBe('spooled');
  });
}
