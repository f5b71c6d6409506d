import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseOid } from '../../agent/oid.ts';
import { spoolsFolder } from '../../agent/spool/folder.ts';
import { type Spool, spoolFor, spoolsIn, type Waiting } from '../../agent/spool/spool.ts';
import { expectFailure } from '../conformance/failure.ts';
import { sourceIn } from '../conformance/source.ts';

const LOCATION = '//server/share/art';

let gitDir: string;
let local: string;
let spool: Spool;
beforeEach(() => {
  gitDir = mkdtempSync(join(tmpdir(), 'depot-git-'));
  local = mkdtempSync(join(tmpdir(), 'depot-local-'));
  spool = spoolFor(gitDir, LOCATION);
});
afterEach(() => {
  rmSync(gitDir, { recursive: true });
  rmSync(local, { recursive: true });
});

function objectOf(content: number | string) {
  const source = sourceIn(local, content);
  return { ...source, oid: parseOid(source.sha256)! };
}

async function listed(of: Spool): Promise<Waiting[]> {
  const found: Waiting[] = [];
  for await (const object of of.list()) found.push(object);
  return found;
}

test('a spool touches nothing until something is put into it', async () => {
  const { oid, size } = objectOf(10);
  expect(existsSync(spoolsFolder(gitDir))).toBe(false);
  expect(await spool.has(oid)).toBe(false);
  expect(await spool.isEmpty()).toBe(true);
  expect(await spool.get(oid, size, join(local, 'fetched'))).toBe(false);
  expect(await listed(spool)).toEqual([]);
  await spool.drop(oid);
  expect(await spoolsIn(gitDir)).toEqual([]);
  expect(readdirSync(gitDir)).toEqual([]);
  expect(existsSync(join(local, 'fetched'))).toBe(false);
});

test.each([1, 500, 3_000_000])('an object of %i bytes is kept, told once, given back, and dropped', async (length) => {
  const { oid, size, file, content } = objectOf(length);
  const before = Date.now();
  expect(await spool.put(oid, size, file)).toBe('spooled');
  expect(await spool.put(oid, size, file)).toBe('present');
  rmSync(file);
  expect(existsSync(spoolsFolder(gitDir))).toBe(true);
  expect(await spool.has(oid)).toBe(true);
  expect(readFileSync(spool.fileOf(oid)).equals(content)).toBe(true);
  const [waiting, ...others] = await listed(spool);
  expect(others).toEqual([]);
  expect(waiting).toMatchObject({ oid, size });
  expect(Math.abs(waiting!.since.getTime() - before)).toBeLessThan(60_000);
  expect(await spool.get(oid, size, join(local, 'fetched'))).toBe(true);
  expect(readFileSync(join(local, 'fetched')).equals(content)).toBe(true);

  await spool.drop(oid);
  await spool.drop(oid);
  expect(await spool.has(oid)).toBe(false);
  expect(await spool.isEmpty()).toBe(true);
  expect(readdirSync(spool.folder).sort()).toEqual(['location', 'tmp']);
});

test('it says where its objects belong, to whoever finds it', async () => {
  const [one, other] = [objectOf(10), objectOf(20)];
  const elsewhere = spoolFor(gitDir, '/srv/lfs');
  await spool.put(one.oid, one.size, one.file);
  await elsewhere.put(other.oid, other.size, other.file);
  expect(spool.folder).toMatch(/[\\/]lfs-depot[\\/]spool[\\/][0-9a-f]{16}$/);
  expect(elsewhere.folder).not.toBe(spool.folder);
  const found = await spoolsIn(gitDir);
  expect(found.map(({ location }) => location).sort()).toEqual(['//server/share/art', '/srv/lfs']);
  for (const { folder, location } of found) expect(spoolFor(gitDir, location).folder).toBe(folder);
  await elsewhere.drop(other.oid);
  expect((await spoolsIn(gitDir)).map(({ location }) => location)).toEqual([LOCATION]);
});

test('a second handle, as of another process, works on the same spool', async () => {
  const { oid, size, file } = objectOf(10);
  const second = spoolFor(gitDir, LOCATION);
  await spool.put(oid, size, file);
  expect(await second.put(oid, size, file)).toBe('present');
  await second.drop(oid);
  expect(await spool.has(oid)).toBe(false);
  expect(await spool.put(oid, size, file)).toBe('spooled');
});

test('a spool that somebody removed is made again', async () => {
  const { oid, size, file } = objectOf(10);
  await spool.put(oid, size, file);
  rmSync(join(gitDir, 'lfs-depot'), { recursive: true });
  expect(await spool.put(oid, size, file)).toBe('spooled');
  expect(await spoolsIn(gitDir)).toHaveLength(1);
});

test('puts and drops at once lose nothing', async () => {
  const objects = Array.from({ length: 40 }, () => objectOf(100));
  const stays = objectOf(200);
  const handles = [spool, spoolFor(gitDir, LOCATION)];
  await spool.put(stays.oid, stays.size, stays.file);
  for (let round = 0; round < 5; round++) {
    await Promise.all(
      objects.map(async ({ oid, size, file }, index) => {
        const handle = handles[index % 2]!;
        await handle.put(oid, size, file);
        expect(await handle.has(oid)).toBe(true);
        await handle.drop(oid);
      }),
    );
  }
  expect((await listed(spool)).map(({ oid }) => oid)).toEqual([stays.oid]);
});

test('bytes that are not those of the object are refused', async () => {
  const { oid, size, file } = objectOf(1000);
  truncateSync(file, 999);
  await expectFailure(spool.put(oid, size, file), 'corrupt');
  writeFileSync(file, Buffer.alloc(1000));
  await expectFailure(spool.put(oid, size, file), 'corrupt');
  expect(await spool.isEmpty()).toBe(true);
});

test('what is damaged in the spool is not given out, is told of, and healed by a good copy', async () => {
  const { oid, size, file, content } = objectOf(1000);
  await spool.put(oid, size, file);
  writeFileSync(spool.fileOf(oid), Buffer.alloc(1000));
  expect(await spool.get(oid, size, join(local, 'fetched'))).toBe(false);
  expect(existsSync(join(local, 'fetched'))).toBe(false);
  expect(await spool.has(oid)).toBe(true);
  expect(await spool.put(oid, size, file)).toBe('spooled');
  expect(readFileSync(spool.fileOf(oid)).equals(content)).toBe(true);
});

test('a put that is cancelled leaves nothing, and a spool that is found', async () => {
  const { oid, size, file } = objectOf(5_000_000);
  const stop = new AbortController();
  const options = { signal: stop.signal, onProgress: () => stop.abort() };
  await expectFailure(spool.put(oid, size, file, options), 'cancelled');
  expect(await spool.isEmpty()).toBe(true);
  expect(readdirSync(join(spool.folder, 'tmp'))).toEqual([]);
  expect(await spool.put(oid, size, file)).toBe('spooled');
  expect((await listed(spool)).map((waiting) => waiting.oid)).toEqual([oid]);
});

test('what dead writers left is tidied when it is a day old', async () => {
  const { oid, size, file } = objectOf(10);
  await spool.put(oid, size, file);
  const [old, young] = ['0', '1'].map((digit) => join(spool.folder, 'tmp', `depot-put-${digit.repeat(24)}`));
  for (const path of [old!, young!]) writeFileSync(path, 'x');
  const twoDaysAgo = Date.now() / 1000 - 2 * 24 * 3600;
  utimesSync(old!, twoDaysAgo, twoDaysAgo);
  await spool.tidy();
  expect(existsSync(old!)).toBe(false);
  expect(existsSync(young!)).toBe(true);
  expect(await spool.has(oid)).toBe(true);
  // Killed between the file and its folders.
  rmSync(spool.fileOf(oid));
  expect(await spool.isEmpty()).toBe(false);
  await spool.tidy();
  expect(await spool.isEmpty()).toBe(true);
});

test('a folder in which no spool can be made is a clear error', async () => {
  const { oid, size, file } = objectOf(10);
  mkdirSync(join(gitDir, 'lfs-depot'));
  writeFileSync(join(gitDir, 'lfs-depot', 'spool'), 'a file');
  const error = await spool.put(oid, size, file).catch((reason) => reason);
  expect(error.message).toContain(`cannot keep ${oid} on this computer, for ${LOCATION}: `);
  renameSync(join(gitDir, 'lfs-depot', 'spool'), join(gitDir, 'away'));
  expect(await spool.put(oid, size, file)).toBe('spooled');
});

test.skipIf(process.platform === 'win32')('in a repository that a group shares, the spool is the group’s', async () => {
  chmodSync(gitDir, 0o2770);
  const { oid, size, file } = objectOf(10);
  await spool.put(oid, size, file);
  for (let path = dirname(spool.fileOf(oid)); path !== gitDir; path = dirname(path)) {
    expect((statSync(path).mode & 0o7777).toString(8), path).toBe('2770');
  }
  expect((statSync(spool.fileOf(oid)).mode & 0o777).toString(8)).toBe('660');
});
