import { chmodSync, chownSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { actAs } from './deed.ts';
import { type Source, sourceIn } from './source.ts';
import { ANCHOR, TEMP } from './storage.ts';

/** Numbers that no account of the machine has. */
const TEAM = 54321;
const ALICE = { uid: 54331, groups: [54331, TEAM] };
const BOB = { uid: 54332, groups: [54332, TEAM] };
const MALLORY = { uid: 54333, groups: [54333] };

const isRoot = process.getuid?.() === 0;

describe.skipIf(!isRoot)('group and mode in a folder (needs root, to act as several people)', () => {
  let home: string;
  let root: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'depot-modes-'));
    chmodSync(home, 0o755);
    root = join(home, 'store');
    mkdirSync(root);
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  function shared(mode: number): void {
    chownSync(root, ALICE.uid, TEAM);
    chmodSync(root, mode);
  }

  function sent(size: number): Source {
    const source = sourceIn(join(home, 'local'), size);
    chmodSync(source.file, 0o444);
    return source;
  }

  const umasks = [0o077, 0o022];
  const cases = [0o2770, 0o2775, 0o770, 0o755].flatMap((mode) =>
    umasks.map((umask) => ({ name: `${mode.toString(8)}, umask ${umask.toString(8)},`, mode, umask })),
  );

  test.each(cases)('everything below a root of mode $name is like it', ({ mode, umask }) => {
    shared(mode);
    expect(actAs({ ...ALICE, umask }, { root, verb: 'create' })).toEqual({ value: true });
    for (const size of [10, 2_000_000]) {
      const put = { root, verb: 'put' as const, path: `aa/bb/${size}`, ...sent(size) };
      expect(actAs({ ...ALICE, umask }, put)).toEqual({ value: 'created' });
    }
    for (const folder of ['aa', 'aa/bb', TEMP]) expect(facts(join(root, folder))).toEqual({ mode, gid: TEAM });
    for (const file of [ANCHOR, 'aa/bb/10', 'aa/bb/2000000']) {
      expect(facts(join(root, file))).toEqual({ mode: mode & 0o666, gid: TEAM });
    }
  });

  test.each([
    { name: '2770', mode: 0o2770 },
    { name: '770', mode: 0o770 },
  ])('two people of one group write into the folders of each other ($name)', ({ mode }) => {
    shared(mode);
    actAs({ ...ALICE, umask: 0o077 }, { root, verb: 'create' });
    for (const [index, who] of [ALICE, BOB, ALICE, BOB].entries()) {
      const put = { root, verb: 'put' as const, path: `aa/bb/${index}`, ...sent(100) };
      expect(actAs({ ...who, umask: 0o077 }, put)).toEqual({ value: 'created' });
    }
    for (const who of [ALICE, BOB]) {
      expect(actAs({ ...who, umask: 0 }, { root, verb: 'list' })).toEqual({
        value: ['aa/bb/0', 'aa/bb/1', 'aa/bb/2', 'aa/bb/3', ANCHOR].sort(),
      });
    }
    expect(actAs({ ...MALLORY, umask: 0 }, { root, verb: 'list' }).kind).toBe('denied');
  });

  test('a colleague heals an object of somebody else', () => {
    shared(0o2770);
    actAs({ ...ALICE, umask: 0o077 }, { root, verb: 'create' });
    const [old, fresh] = [sent(5), sent(100)];
    actAs({ ...ALICE, umask: 0o077 }, { root, verb: 'put', path: 'aa/x', ...old });
    const { size, mtimeNs } = lstatSync(join(root, 'aa/x'), { bigint: true });
    const replace = `${size}-${mtimeNs}`;
    expect(actAs({ ...BOB, umask: 0o077 }, { root, verb: 'put', path: 'aa/x', ...fresh, replace })).toEqual({
      value: 'created',
    });
    expect(lstatSync(join(root, 'aa/x')).size).toBe(100);
    expect(readdirSync(join(root, TEMP))).toEqual([]);
  });

  test('a root is made like the set-group-ID folder that it is made in', () => {
    const parent = join(home, 'group');
    mkdirSync(parent);
    chownSync(parent, ALICE.uid, TEAM);
    chmodSync(parent, 0o2770);
    root = join(parent, 'new');
    actAs({ ...ALICE, umask: 0o077 }, { root, verb: 'create' });
    expect(facts(root)).toEqual({ mode: 0o2770, gid: TEAM });
    expect(facts(join(root, TEMP))).toEqual({ mode: 0o2770, gid: TEAM });
  });

  test('a store that one may not write is denied, with nothing left; reading goes on', () => {
    shared(0o755);
    actAs({ ...ALICE, umask: 0o022 }, { root, verb: 'create' });
    actAs({ ...ALICE, umask: 0o022 }, { root, verb: 'put', path: 'aa/theirs', ...sent(10) });
    const before = readdirSync(root, { recursive: true });
    for (const size of [10, 2_000_000]) {
      for (const path of ['aa/mine', 'bb/cc/mine']) {
        const denied = actAs({ ...MALLORY, umask: 0 }, { root, verb: 'put', path, ...sent(size) });
        expect(denied.kind).toBe('denied');
        expect(denied.message).toContain('permission denied (EACCES)');
        expect(denied.cure).toContain('write access');
      }
    }
    expect(actAs({ ...MALLORY, umask: 0 }, { root, verb: 'remove', path: 'aa/theirs' }).kind).toBe('denied');
    expect(readdirSync(root, { recursive: true })).toEqual(before);
    expect(actAs({ ...MALLORY, umask: 0 }, { root, verb: 'read', path: ANCHOR })).toEqual({ value: '{}' });
  });

  test('a folder of objects that one may not write is denied, and leaves no temp file', () => {
    shared(0o777);
    actAs({ ...ALICE, umask: 0 }, { root, verb: 'create' });
    mkdirSync(join(root, 'aa'), { mode: 0o700 });
    const denied = actAs({ ...MALLORY, umask: 0 }, { root, verb: 'put', path: 'aa/bb/mine', ...sent(10) });
    expect(denied.kind).toBe('denied');
    expect(readdirSync(join(root, TEMP))).toEqual([]);
  });

  test('a root that one may not even enter is denied, not absent', () => {
    shared(0o700);
    actAs({ ...ALICE, umask: 0 }, { root, verb: 'create' });
    for (const verb of ['read', 'list', 'create', 'remove', 'put'] as const) {
      const consequence = actAs({ ...BOB, umask: 0 }, { root, verb, path: verb === 'list' ? '' : ANCHOR, ...sent(10) });
      expect(consequence.kind, verb).toBe('denied');
    }
  });

  test('somebody outside of the group may still add to a store that is open to all', () => {
    shared(0o2777);
    actAs({ ...ALICE, umask: 0 }, { root, verb: 'create' });
    expect(actAs({ ...MALLORY, umask: 0o077 }, { root, verb: 'put', path: 'cc/dd/x', ...sent(10) })).toEqual({
      value: 'created',
    });
    expect(actAs({ ...BOB, umask: 0o077 }, { root, verb: 'put', path: 'cc/dd/y', ...sent(10) })).toEqual({
      value: 'created',
    });
  });
});

function facts(path: string): { mode: number; gid: number } {
  const { mode, gid } = lstatSync(path);
  return { mode: mode & 0o7777, gid };
}
