import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Backend } from '../../../backends/backend.ts';
import { parseLocation } from '../../../backends/location.ts';
import { openBackend } from '../../../backends/open.ts';
import { expectFailure } from '../../conformance/failure.ts';
import { hashOf, sourceIn } from '../../conformance/source.ts';
import { ANCHOR, TEMP } from '../../conformance/storage.ts';

let home: string;
let local: string;
beforeEach(() => {
  home = mkdtempSync('\\\\srv\\lfs\\depot-share-');
  local = mkdtempSync(join(tmpdir(), 'depot-local-'));
});
afterEach(() => {
  for (const folder of [home, local]) rmSync(folder, { recursive: true, force: true });
});

async function storeAt(location: string): Promise<Backend> {
  const place = parseLocation(location, { platform: 'win32', home: '' });
  const backend = await openBackend(place, { platform: 'win32', anchor: ANCHOR, temp: TEMP });
  await backend.create();
  await backend.write(ANCHOR, Buffer.from('{}'));
  return backend;
}

async function expectUse(backend: Backend): Promise<void> {
  for (const size of [10, 2_000_000]) {
    const source = sourceIn(local, size);
    const path = `aa/bb/${source.sha256}`;
    expect(await backend.put(path, source.file, source)).toBe('created');
    expect(await backend.put(path, source.file, source)).toBe('exists');
    expect(await backend.get(path, join(local, source.sha256), { expect: source })).toBe(size);
    const listed: string[] = [];
    for await (const entry of backend.list('aa')) listed.push(entry.path);
    expect(listed).toEqual([path]);
    await backend.remove(path);
    expect(await backend.stat(path)).toBeUndefined();
  }
}

const SPELLINGS: Record<string, (path: string) => string> = {
  'with backslashes': (path) => `\\\\srv\\lfs\\${path}`,
  'with slashes': (path) => `//srv/lfs/${path}`,
  'as file:// with a server': (path) => `file://srv/lfs/${path}`,
  'as file://// ': (path) => `file:////srv/lfs/${path}`,
  'as smb:': (path) => `smb://srv/lfs/${path}`,
  'as a long path': (path) => `\\\\?\\UNC\\srv\\lfs\\${path}`,
  'in capitals': (path) => `//SRV/LFS/${path.toUpperCase()}`,
};
test.each(Object.entries(SPELLINGS))('a store is used through its location %s', async (_, spell) => {
  const name = home.slice('\\\\srv\\lfs\\'.length);
  const backend = await storeAt(spell(`${name}/store`));
  await expectUse(backend);
  expect(readFileSync(`${home}\\store\\${ANCHOR}`, 'utf8')).toBe('{}');
});

test('a location of more than 260 characters is used like any other', async () => {
  const deep = `${home}\\${'d'.repeat(120)}\\${'e'.repeat(120)}`;
  mkdirSync(deep, { recursive: true });
  const backend = await storeAt(`${deep}\\store`);
  expect(`${deep}\\store\\aa\\bb\\${'0'.repeat(64)}`.length).toBeGreaterThan(320);
  await expectUse(backend);
});

test('a location with spaces, accents and signs is used like any other', async () => {
  await expectUse(await storeAt(`${home}\\ünï 日本 #1 100% (alt) & 'neu'`));
});

test('the top of a share can be a store', async () => {
  const share = process.env.SHARE_OF_ITS_OWN!;
  await expectUse(await storeAt(share));
  await expectUse(await storeAt(`${share}\\`));
});

test('a local file that is read-only is stored, and can be removed from the store', async () => {
  const backend = await storeAt(`${home}\\store`);
  for (const size of [10, 2_000_000]) {
    const source = sourceIn(local, size);
    chmodSync(source.file, 0o444);
    expect(await backend.put(`aa/${size}`, source.file, source)).toBe('created');
    chmodSync(`${home}\\store\\aa\\${size}`, 0o444);
    await backend.remove(`aa/${size}`);
    expect(await backend.stat(`aa/${size}`)).toBeUndefined();
  }
});

test('a damaged object that is read-only is replaced', async () => {
  const backend = await storeAt(`${home}\\store`);
  const file = `${home}\\store\\aa\\file`;
  mkdirSync(`${home}\\store\\aa`);
  writeFileSync(file, 'damaged');
  chmodSync(file, 0o444);
  const source = sourceIn(local, 100);
  const replace = (await backend.stat('aa/file'))?.version;
  expect(await backend.put('aa/file', source.file, { ...source, replace })).toBe('created');
  expect(hashOf(readFileSync(file))).toBe(source.sha256);
});

/** Somebody who has a file open for reading, and lets nobody rename or remove it meanwhile: cmd, for a program it starts. */
async function hold(file: string, milliseconds: number): Promise<ChildProcess> {
  const ready = join(local, 'held');
  const script = join(local, 'hold.cjs');
  writeFileSync(
    script,
    `require('fs').writeFileSync(${JSON.stringify(ready)}, ''); setTimeout(() => {}, ${milliseconds});`,
  );
  const child = spawn('cmd', ['/d', '/s', '/c', `""${process.execPath}" "${script}" < "${file}""`], {
    windowsVerbatimArguments: true,
    stdio: 'ignore',
  });
  while (!existsSync(ready)) await sleep(10);
  return child;
}

async function gone(child: ChildProcess): Promise<void> {
  if (child.exitCode === null) await once(child, 'exit');
}

test('a damaged object that another program holds open is replaced when that lets go', async () => {
  const backend = await storeAt(`${home}\\store`);
  const file = `${home}\\store\\aa\\file`;
  mkdirSync(`${home}\\store\\aa`);
  writeFileSync(file, 'damaged');
  const source = sourceIn(local, 100);
  const replace = (await backend.stat('aa/file'))?.version;
  const holder = await hold(file, 1500);
  expect(await backend.put('aa/file', source.file, { ...source, replace })).toBe('created');
  await gone(holder);
  expect(hashOf(readFileSync(file))).toBe(source.sha256);
});

test('an object that is held open is fetched, and its removal waits', async () => {
  const backend = await storeAt(`${home}\\store`);
  const source = sourceIn(local, 100);
  await backend.put('aa/file', source.file, source);
  const holder = await hold(`${home}\\store\\aa\\file`, 1500);
  expect(await backend.get('aa/file', join(local, 'fetched'), { expect: source })).toBe(100);
  await backend.remove('aa/file');
  expect(await backend.stat('aa/file')).toBeUndefined();
  await gone(holder);
});

test('a share that holds no store is none, and nothing is made there', async () => {
  const place = parseLocation(`${home}/none/deeper`, { platform: 'win32', home: '' });
  const backend = await openBackend(place, { platform: 'win32', anchor: ANCHOR, temp: TEMP });
  await expectFailure(backend.stat('aa/file'), 'no-store');
  await expectFailure(backend.create(), 'no-store');
  expect(existsSync(`${home}\\none`)).toBe(false);
});
