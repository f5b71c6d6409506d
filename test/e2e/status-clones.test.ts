import { mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PROGRAM, type Result, Sandbox } from '../sandbox.ts';
import { objectFile, oidOf } from './objects.ts';

/** A clone `alice` that has pushed one object to the store that `.lfsconfig` names, and has a store `own` besides. */
let box: Sandbox;
let store: string;
let own: string;
beforeEach(async () => {
  box = new Sandbox();
  store = await box.team();
  box.write('alice/a.bin', 500);
  await box.push('alice');
  await box.git('.', 'init', '-q', 'other');
  own = box.path('own');
  await box.depot('other', 'init', own);
});
afterEach(() => box.remove());

function run(args: string[], env: NodeJS.ProcessEnv = {}): Promise<Result> {
  return box.run(PROGRAM, ['status', ...args], { cwd: 'alice', env });
}

/** What `--check` says of a problem; '' if there is none. */
async function problem(env: NodeJS.ProcessEnv = {}): Promise<string> {
  const { status, stdout, stderr } = await run(['--check'], env);
  expect(stderr).toBe('');
  expect(status).toBe(stdout === '' ? 0 : 1);
  return stdout;
}

async function shown(env: NodeJS.ProcessEnv = {}): Promise<string> {
  return (await run([], env)).stdout;
}

/** Pushes one object more, wherever that goes. */
async function pushAnother(): Promise<string> {
  const oid = oidOf(readFileSync(box.write('alice/b.bin', 600)));
  await box.push('alice');
  return oid;
}

/** Whether somebody else, who trusts all places, gets all files. */
async function canClone(...trusted: string[]): Promise<boolean> {
  const bob = new Sandbox();
  try {
    await bob.depot('.', 'install');
    for (const location of trusted) await bob.depot('.', 'trust', location);
    const { status } = await bob.run('git', ['clone', '-q', box.path('remote.git'), 'clone']);
    return status === 0;
  } finally {
    bob.remove();
  }
}

test('a store of the own git config is not that of clones', async () => {
  await box.git('alice', 'config', 'lfs.url', `depot::${own}`);
  const oid = await pushAnother();
  expect(await canClone(store)).toBe(false);
  const report = await shown();
  expect(report).toContain(`Store: ${own} (lfs.url in local git config): answers\n`);
  expect(report).toContain(`Clones use another store: ${store} (lfs.url in .lfsconfig): answers\n`);
  expect(report).toMatch(new RegExp(`A fresh clone would miss 1 file:\n +${oid.slice(0, 10)}`));
  const brief = await problem();
  expect(brief).toContain(`1 object (600 bytes) of HEAD (main) is not in ${store}, as clones need:\n`);
  expect(brief).toContain("1 only in this clone's own store, which others do not know: ");
  expect(brief).toContain(`this clone uses another store: ${own} (lfs.url in local git config)`);
  expect(JSON.parse((await run(['--json'])).stdout)).toMatchObject({
    ok: false,
    freshClone: { complete: false, stores: [{ location: store, source: 'lfs.url in .lfsconfig' }], misses: [{ oid }] },
  });

  await box.git('alice', 'config', '--unset', 'lfs.url');
  await box.git('alice', 'lfs', 'push', '--object-id', 'origin', oid);
  await box.git('alice', 'config', 'lfs.url', `depot::${own}`);
  expect(await problem()).toBe('');
  expect(await shown()).toContain('A fresh clone would be complete.');
  expect(await canClone(store)).toBe(true);
});

test('a location of the environment is not that of clones', async () => {
  const environment = { LFS_DEPOT_LOCATION: own };
  expect(await problem(environment)).toBe('');
  expect(await shown(environment)).toContain('A fresh clone would be complete.');
  renameSync(store, `${store} away`);
  expect(await shown(environment)).toMatch(/Clones use another store: .*: does not answer: .*\n {4}hint: /);
  expect(await problem(environment)).toContain('it cannot be told whether clones get 1 object');
});

test('a mirror in a .lfsdepot that is not committed is nothing to clones', async () => {
  const mirror = box.path('mirror');
  await box.depot('alice', 'mirror', 'add', mirror);
  await box.git('alice', 'config', '--file', join(box.path('alice'), '.lfsdepot'), 'depot.quorum', '1');
  await box.depot('alice', 'sync');
  const [oid = ''] = (await box.git('alice', 'lfs', 'ls-files', '--long')).split(' ');
  rmSync(objectFile(store, oid));
  expect(await canClone(store, mirror)).toBe(false);
  expect(await shown()).toContain('A fresh clone would miss 1 file:');
  expect(await problem()).toContain('1 only in a mirror: lfs-depot sync');
  await box.push('alice');
  expect(await canClone(store, mirror)).toBe(true);
  expect(await problem()).toBe('');
  expect(await shown()).toContain('A fresh clone would be complete.');
});

test('a store that is committed and not trusted is not asked: it cannot be told', async () => {
  await box.git('alice', 'config', 'lfs.url', `depot::${own}`);
  await box.depot('.', 'trust', '--remove', store);
  expect(await shown()).toMatch(/Clones use another store: .*: not asked: .*\n {4}hint: .*lfs-depot trust/);
  expect(await shown()).toContain('Whether a fresh clone would have 1 file cannot be told');
  expect(await problem()).toMatch(/it cannot be told whether clones get 1 object .*: will not open .*\n {4}hint: /);
});

test('a .lfsconfig that nobody committed: clones know no store', async () => {
  await box.git('alice', 'rm', '-q', '--cached', '.lfsconfig');
  await box.git('alice', 'commit', '-qm', 'forgotten');
  await box.git('alice', 'remote', 'set-url', 'origin', 'https://git.example.com/art.git');
  expect(await shown()).toMatch(/Clones: cannot tell where clones get their files from: .*\n {4}hint: commit the/);
  expect(await problem()).toContain(
    'what is committed names no store (cannot keep LFS objects at https://git.example.com',
  );
  // A team may give the same settings to all its computers.
  await box.git('.', 'config', '--global', 'lfs.url', `depot::${store}`);
  expect(await problem()).toBe('');
});

test('a branch that names another store is asked for there', async () => {
  await box.git('alice', 'checkout', '-q', '-b', 'moved');
  await box.depot('alice', 'init', own);
  await box.git('alice', 'commit', '-qam', 'moved');
  await box.git('alice', 'checkout', '-q', 'main');
  expect(await problem()).toBe('');
  const { status, stdout } = await run(['--check', 'moved']);
  expect(status).toBe(1);
  expect(stdout).toContain(`of moved is not in ${own}, as clones need`);
  expect((await run(['--check', 'main', 'moved'])).status).toBe(1);
  // What is checked out is what leads all of them.
  expect((await run(['--check', '--all'])).status).toBe(0);
  await box.git('alice', 'checkout', '-q', 'moved');
  expect(await problem()).toContain(`not in ${own}`);
});

test('only tags, and nothing checked out: the tags say where', async () => {
  mkdirSync(box.path('tags.git'));
  await box.git('tags.git', 'init', '-q', '--bare');
  await box.git('alice', 'tag', 'v1');
  await box.git('tags.git', 'config', 'lfs.url', `depot::${own}`);
  await box.git('tags.git', 'fetch', '-q', box.path('alice'), 'tag', 'v1');
  const { status, stdout } = await box.run(PROGRAM, ['status', '--check', '--all'], { cwd: 'tags.git' });
  expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
  renameSync(store, `${store} away`);
  expect((await box.run(PROGRAM, ['status', '--check', '--all'], { cwd: 'tags.git' })).status).toBe(1);
});
