import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { commitOf, parsePointer, pathsIn, pointersIn } from '../../agent/pointers.ts';
import { revisionsOf } from '../../agent/status/revisions.ts';
import { Sandbox } from '../sandbox.ts';

const OID = 'a'.repeat(64);
const pointer = (oid: string, size: number | string): string =>
  `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${size}\n`;

let box: Sandbox;
beforeEach(() => {
  box = new Sandbox();
});
afterEach(() => box.remove());

describe('one file', () => {
  const rest = `oid sha256:${OID}\nsize 5`;
  const texts: Record<string, string> = {
    'as git-lfs writes it': pointer(OID, 5),
    'Windows line ends': pointer(OID, 5).replaceAll('\n', '\r\n'),
    'no line end': pointer(OID, 5).trim(),
    'empty lines': pointer(OID, 5).replaceAll('\n', '\n\n'),
    hawser: `version https://hawser.github.com/spec/v1\n${rest}\n`,
    'git-media': `version http://git-media.io/v/2\n${rest}\n`,
    extensions: `version https://git-lfs.github.com/spec/v1\next-0-foo sha256:${'b'.repeat(64)}\n${rest}\n`,
    'a text that begins like one': 'version https://git-lfs.github.com/spec/v1 is what pointers begin with\n',
    'another version': `version https://git-lfs.github.com/spec/v2\n${rest}\n`,
    'another order': `version https://git-lfs.github.com/spec/v1\nsize 5\noid sha256:${OID}\n`,
    'a line too many': `${pointer(OID, 5)}more 1\n`,
    'an unknown key': `version https://git-lfs.github.com/spec/v1\nfoo 1\n${rest}\n`,
    'no size': `version https://git-lfs.github.com/spec/v1\noid sha256:${OID}\n`,
    'a negative size': pointer(OID, -5),
    'a size in words': pointer(OID, 'five'),
    'a short oid': pointer('abc', 5),
    'another hash': pointer(OID, 5).replace('sha256:', 'sha512:'),
    'any text': 'hello\n',
  };

  test.each(Object.entries(texts))('%s: is judged as git-lfs judges it', async (_, text) => {
    box.write('file', text);
    const { status } = await box.run('git', ['lfs', 'pointer', '--check', '--file', 'file']);
    expect(parsePointer(text)).toEqual(status === 0 ? { oid: OID, size: 5 } : undefined);
  });
});

/** A repository whose history has pointers; `add` commits one, with no git-lfs in between. */
async function repository(): Promise<(path: string, content: string | number) => Promise<string>> {
  await box.git('.', 'init', '-q', 'work');
  return async (path, content) => {
    let text = content;
    let oid = '';
    if (typeof text === 'number') {
      oid = createHash('sha256').update(randomBytes(8)).digest('hex');
      text = pointer(oid, text);
    }
    const file = box.path('work', path);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, text);
    await box.git('work', 'add', '.');
    await box.git('work', 'commit', '-qm', path);
    return oid;
  };
}

async function scan(all = false) {
  const cwd = box.path('work');
  return pointersIn(cwd, (await revisionsOf(cwd, [], all)).commits);
}

test('a history has the objects that git-lfs finds in it, each with a path', async () => {
  const add = await repository();
  const old = await add('art/hero.bin', 5000);
  const now = await add('art/hero.bin', 6000);
  await add('art/copy.txt', pointer(now, 6000));
  await add('read me.txt', 'version of nothing\n');
  await add('empty', '');
  await add('none.bin', 0);
  await add('long.bin', `${pointer('c'.repeat(64), 5)}${'\n'.repeat(1024)}`);
  await box.git('work', 'tag', '-a', '-m', 'a tag', 'v1');
  await box.git('work', 'checkout', '-q', '-b', 'side', 'HEAD~3');
  const side = await add('side.bin', 7);
  await box.git('work', 'checkout', '-q', 'main');

  const here = await scan();
  expect([...here.objects.values()].sort((a, b) => a.size - b.size)).toEqual([
    { oid: old, size: 5000, path: 'art/hero.bin' },
    { oid: now, size: 6000, path: expect.stringMatching(/^art\/(hero.bin|copy.txt)$/) },
  ]);
  const all = await scan(true);
  const listed = await box.git('work', 'lfs', 'ls-files', '--all', '--long');
  const known = new Set(listed.match(/^[0-9a-f]{64}/gm));
  expect([...all.objects.keys()].sort()).toEqual([old, now, side].sort());
  for (const oid of all.objects.keys()) expect(known).toContain(oid);
});

test('paths of a tree are told as they are, whatever characters they have', async () => {
  const add = await repository();
  const names = ['quo"te.bin', "apo'strophe.bin", 'grün/日本.bin', ' space .bin', 'line\nbreak.bin', 'tab\t.bin'];
  const oids: string[] = [];
  for (const [index, name] of names.entries()) oids.push(await add(name, index + 1));
  await box.git('work', 'config', 'core.quotePath', 'true');
  const { objects, blobs } = await scan();
  // rev-list lists what a line can hold, and cat-file drops a space before it.
  const lines = names.filter((name) => !/\n|^ /.test(name));
  expect([...objects.values()].map(({ path }) => path)).toEqual(expect.arrayContaining(lines));
  expect([...objects.keys()].sort()).toEqual([...oids].sort());
  const found: string[] = [];
  mkdirSync(box.path('work/deep'));
  for await (const { path } of pathsIn(box.path('work/deep'), 'HEAD', blobs)) found.push(path);
  expect(found.sort()).toEqual([...names].sort());
});

test('more objects than a pipe holds, files of a megabyte between them', async () => {
  const add = await repository();
  for (let index = 0; index < 3000; index++) {
    const oid = createHash('sha256').update(String(index)).digest('hex');
    box.write(`work/many/${'x'.repeat(100)}${index}.bin`, pointer(oid, index + 1));
    if (index % 500 === 0) box.write(`work/many/${index}.dat`, 1_000_000);
  }
  await add('last', 'all of them');
  const { objects, unseen } = await scan();
  expect({ objects: objects.size, unseen }).toEqual({ objects: 3000, unseen: 0 });
});

test('what a partial clone does not have is counted, and not fetched', async () => {
  const add = await repository();
  const old = await add('a.bin', 10);
  await add('a.bin', 20);
  await box.git('work', 'config', 'uploadpack.allowFilter', 'true');
  await box.git('.', 'clone', '-q', '--no-checkout', '--filter=blob:none', `file://${box.path('work')}`, 'partial');
  const cwd = box.path('partial');
  const count = () => box.git('partial', 'rev-list', '--objects', '--all', '--missing=print');
  const before = await count();
  const { commits } = await revisionsOf(cwd, [], false);
  expect(await pointersIn(cwd, commits)).toMatchObject({ objects: new Map(), unseen: 2 });
  expect(await count()).toBe(before);
  await box.git('partial', 'cat-file', '-p', `HEAD~1:a.bin`);
  const { objects, unseen } = await pointersIn(cwd, commits);
  expect({ oids: [...objects.keys()], unseen }).toEqual({ oids: [old], unseen: 1 });
});

test('a shallow clone is looked at as far as it goes', async () => {
  const add = await repository();
  await add('a.bin', 10);
  const now = await add('a.bin', 20);
  await box.git('.', 'clone', '-q', '--depth=1', `file://${box.path('work')}`, 'shallow');
  const cwd = box.path('shallow');
  const { commits, shallow } = await revisionsOf(cwd, [], false);
  expect(shallow).toBe(true);
  expect([...(await pointersIn(cwd, commits)).objects.keys()]).toEqual([now]);
});

test('names: HEAD without a commit, detached, and what is no name', async () => {
  await box.git('.', 'init', '-q', 'work');
  const cwd = box.path('work');
  expect(await revisionsOf(cwd, [], false)).toMatchObject({ names: ['HEAD (main)'], commits: [], tips: [] });
  expect(await revisionsOf(cwd, [], true)).toMatchObject({ commits: [], tips: [] });
  expect((await pointersIn(cwd, [])).objects.size).toBe(0);
  await box.git('work', 'commit', '-q', '--allow-empty', '-m', 'one');
  await box.git('work', 'checkout', '-q', '--detach');
  expect((await revisionsOf(cwd, [], false)).names[0]).toMatch(/^HEAD \(detached at [0-9a-f]{10}\)$/);
  expect(await commitOf(cwd, 'main')).toMatch(/^[0-9a-f]{40}$/);
  for (const name of ['nothing', '--all', '-h', '']) {
    await expect(commitOf(cwd, name)).rejects.toMatchObject({ kind: 'configuration' });
  }
});
