import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { configOf } from '../../agent/config.ts';
import { type Creation, createStore } from '../../agent/create-store.ts';
import { MARKER } from '../../agent/marker.ts';
import { expectFailure } from '../conformance/failure.ts';

const OID = '4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393';
const OTHER = 'ff7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393';

let home: string;
let root: string;
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'depot-create-')));
  root = join(home, 'store');
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function create(adopt = false): Promise<Creation> {
  return createStore({ kind: 'folder', path: root }, adopt, configOf([]));
}

function plant(path: string, content = 'x'): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

function everything(): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' }).sort();
}

describe('a new store', () => {
  test.each(['absent', 'empty'])(
    'is made where the folder is %s, and holds the marker and nothing else',
    async (how) => {
      if (how === 'empty') mkdirSync(root);
      const { outcome, marker, objects } = await create();
      expect({ outcome, objects }).toEqual({ outcome: 'created', objects: 0 });
      expect(everything()).toEqual([MARKER, 'tmp']);
      const { findings, ...written } = marker;
      expect(findings).toEqual({});
      expect(JSON.parse(readFileSync(join(root, MARKER), 'utf8'))).toMatchObject(written);
    },
  );

  test('is found again by a second run, and stays as it is', async () => {
    const first = await create();
    const text = readFileSync(join(root, MARKER), 'utf8');
    for (const adopt of [false, true]) {
      expect(await create(adopt)).toMatchObject({ outcome: 'existing', marker: first.marker });
    }
    expect(readFileSync(join(root, MARKER), 'utf8')).toBe(text);
    expect(everything()).toEqual([MARKER, 'tmp']);
  });

  test('is one for all who make it at once', async () => {
    const made = await Promise.all([create(), create(), create()]);
    expect(new Set(made.map(({ marker }) => marker.id)).size).toBe(1);
    expect(everything()).toEqual([MARKER, 'tmp']);
  });

  test('is not made where the parent is missing', async () => {
    root = join(home, 'not/mounted/store');
    await expectFailure(create(), 'no-store');
    expect(readdirSync(home)).toEqual([]);
  });

  test('is finished when an earlier run was killed before the marker', async () => {
    mkdirSync(join(root, 'tmp'), { recursive: true });
    plant('tmp/put-left');
    expect((await create()).outcome).toBe('created');
  });

  test('is made among what systems leave in every folder', async () => {
    for (const litter of [
      '.DS_Store',
      '._x',
      'Thumbs.db',
      'desktop.ini',
      '@eaDir/x/y',
      '.Trash-1000/files/x',
      '$RECYCLE.BIN/x',
    ]) {
      plant(litter);
    }
    expect((await create()).outcome).toBe('created');
  });

  test('is made at the top of a disk, with the lost+found that its user may not read', () => {
    mkdirSync(join(root, 'lost+found'), { recursive: true, mode: 0o700 });
    // Somebody who is not root, where the tests run as root.
    if (process.getuid?.() === 0) execFileSync('chown', ['-R', '54331:54331', home]);
    execFileSync('chmod', ['000', join(root, 'lost+found')]);
    const program = join(import.meta.dirname, 'create-as.ts');
    expect(execFileSync(process.execPath, [program, root], { encoding: 'utf8' })).toBe('created');
  });
});

describe('a folder that holds something else', () => {
  test('is refused with names of some of it, and left alone', async () => {
    for (const name of ['README.md', 'art/a.psd', 'art/b.psd', 'art/c.psd']) plant(name);
    const before = everything();
    for (const adopt of [false, true]) {
      const error = await expectFailure(create(adopt), 'configuration');
      expect(error.why).toMatch(/README\.md|a\.psd/);
      expect(error.cure).toContain(`${root}/lfs`);
    }
    expect(everything()).toEqual(before);
  });

  test('of objects laid out flat is refused with what to do', async () => {
    plant(OID);
    const error = await expectFailure(create(true), 'configuration');
    expect(error.why).toContain(OID);
    expect(error.cure).toContain('aa/bb/<oid>');
    expect(everything()).toEqual([OID]);
  });

  test('does not become a store by files that only look like objects', async () => {
    plant(`4d/7b/${OID}`);
    plant(`4d/7a/${OID}.tmp`);
    await expectFailure(create(true), 'configuration');
  });

  test('is refused when its marker is damaged or of a newer format', async () => {
    plant(MARKER, '{');
    await expectFailure(create(false), 'corrupt');
    plant(MARKER, '{"format":2,"id":"x"}');
    await expectFailure(create(false), 'unsupported');
    await expectFailure(create(true), 'unsupported');
    expect(everything()).toEqual([MARKER]);
  });

  test('gets a new marker for a damaged one when it is adopted', async () => {
    plant(MARKER, '{');
    const { outcome, marker } = await create(true);
    expect(outcome).toBe('created');
    expect((await create(false)).marker.id).toBe(marker.id);
  });
});

describe('a folder of another adapter', () => {
  beforeEach(() => {
    plant(`4d/7a/${OID}`, '12345');
    plant(`ff/7a/${OTHER}`, '123');
  });

  test('is adopted when one says so: counted, and not a byte moved', async () => {
    plant('.DS_Store');
    plant('README', 'a note');
    expect(await create(true)).toMatchObject({ outcome: 'adopted', objects: 2, bytes: 8 });
    expect(readFileSync(join(root, `4d/7a/${OID}`), 'utf8')).toBe('12345');
    expect(readFileSync(join(root, 'README'), 'utf8')).toBe('a note');
    expect((await create()).outcome).toBe('existing');
  });

  test('is refused otherwise, with the word that adopts it', async () => {
    const before = everything();
    const error = await expectFailure(create(), 'configuration');
    expect(error.cure).toContain('--adopt');
    expect(everything()).toEqual(before);
  });
});
