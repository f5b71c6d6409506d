import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { filesBelow, type Result, Sandbox } from '../sandbox.ts';
import { expectSameWorktree, objectFile, oidOf, soundObjects, soundStore } from './objects.ts';

/** A store with one object, `a.bin` in the clone of Alice. */
let box: Sandbox;
let store: string;
let content: Buffer;
let oid: string;
let stored: string;
beforeEach(async () => {
  box = new Sandbox();
  store = await box.team();
  content = readFileSync(box.write('alice/a.bin', 5000));
  oid = oidOf(content);
  stored = objectFile(store, oid);
  await box.push('alice');
});
afterEach(() => box.remove());

const DAMAGES: [string, (good: Buffer) => Buffer][] = [
  ['cut short', (good) => good.subarray(0, 1234)],
  [
    'one byte flipped',
    (good) => Buffer.concat([good.subarray(0, 99), Buffer.from([good[99]! ^ 1]), good.subarray(100)]),
  ],
  ['longer', (good) => Buffer.concat([good, Buffer.from('tail')])],
  ['empty', () => Buffer.alloc(0)],
];

async function cloneThatFails(): Promise<Result> {
  const clone = await box.run('git', ['clone', '-q', 'remote.git', 'bob']);
  expect(clone.status).not.toBe(0);
  return clone;
}

test.each(DAMAGES)('a clone does not take a damaged object: %s', async (_, damage) => {
  const bad = damage(content);
  writeFileSync(stored, bad);
  const { stderr } = await cloneThatFails();
  expect(existsSync(box.path('bob/a.bin'))).toBe(false);
  expect(soundObjects(box.path('bob/.git/lfs/objects'))).toEqual([]);
  // What git-lfs itself refused stays for an hour, as with its own adapters; what the agent did, does not.
  const left = filesBelow(box.path('bob/.git/lfs')).filter((path) => path.startsWith('tmp/depot-'));
  expect(left).toHaveLength(bad.length === content.length ? 1 : 0);
  // Which object of which store is damaged, and who can mend it how.
  expect(stderr).toContain(`[5] cannot fetch ${oid} from ${store}: `);
  expect(stderr).toContain(`git lfs push --object-id origin ${oid}`);
});

test.skipIf(process.platform !== 'linux')(
  'git-lfs refuses it at a fetch, and the next one says which store to heal',
  async () => {
    await box.ok('git', ['clone', '-q', 'remote.git', 'bob'], { env: { GIT_LFS_SKIP_SMUDGE: '1' } });
    writeFileSync(stored, Buffer.alloc(content.length));
    // `script`, of util-linux, gives it a terminal.
    const fetch = () =>
      box.run('script', ['-qec', 'git lfs fetch', '/dev/null'], { cwd: 'bob', env: { TERM: 'dumb' } });
    const first = await fetch();
    expect(first.status).not.toBe(0);
    expect(first.stdout).toContain('downloaded file failed checks');
    expect(first.stdout).toContain(`git-lfs did not take ${oid.slice(0, 10)} from ${store}: if it is damaged`);
    const second = await fetch();
    expect(second.status).not.toBe(0);
    expect(second.stdout).toContain(`[5] cannot fetch ${oid} from ${store}: `);
    expect(soundObjects(box.path('bob/.git/lfs/objects'))).toEqual([]);
  },
);

/** Runs what the hint of the failed clone says, as it stands there. */
async function heedTheHint(stderr: string): Promise<void> {
  const [, command = 'no command in the message'] = /hint: whoever has a good copy runs: (.*)/.exec(stderr) ?? [];
  await box.sh('alice', command);
}

test.each(DAMAGES)('the push that the hint names heals the store: %s', async (_, damage) => {
  writeFileSync(stored, damage(content));
  const { stderr } = await cloneThatFails();
  rmSync(box.path('bob'), { recursive: true });
  await heedTheHint(stderr);
  expect(soundStore(store)).toEqual([oid]);
  await box.git('.', 'clone', '-q', 'remote.git', 'bob');
  expectSameWorktree(box.path('alice'), box.path('bob'));
});

test('it does so where a push judges what is there by its size alone, as on shares', async () => {
  await box.git('.', 'config', '--global', 'depot.verify', 'size');
  writeFileSync(stored, Buffer.alloc(content.length));
  const { stderr } = await cloneThatFails();
  await heedTheHint(stderr);
  expect(soundStore(store)).toEqual([oid]);
});

test.each(DAMAGES)('git lfs push --all from any good clone heals too: %s', async (_, damage) => {
  await box.git('.', 'clone', '-q', 'remote.git', 'good');
  writeFileSync(stored, damage(content));
  await box.git('good', 'lfs', 'push', '--all', 'origin');
  expect(soundStore(store)).toEqual([oid]);
});

test('a damaged object of the clone is not stored', async () => {
  const fresh = readFileSync(box.write('alice/b.bin', 5000));
  await box.git('alice', 'add', '.');
  await box.git('alice', 'commit', '-qm', 'b');
  const local = objectFile(box.path('alice/.git/lfs/objects'), oidOf(fresh));
  writeFileSync(local, Buffer.alloc(5000));
  const push = await box.run('git', ['push', '-q', 'origin', 'HEAD'], { cwd: 'alice' });
  expect(push.status).not.toBe(0);
  expect(push.stderr).toContain('[5] cannot store ');
  expect(push.stderr).toContain('git lfs fsck');
  expect(soundStore(store)).toEqual([oid]);
});

test('an object that was never pushed is reported with who must do what', async () => {
  renameSync(stored, box.path('never pushed'));
  const { stderr } = await cloneThatFails();
  expect(stderr).toContain(`[4] cannot fetch ${oid} from ${store}: `);
  expect(stderr).toMatch(/hint: whoever has (the file|it) runs: git lfs push /);
  expect(existsSync(box.path('bob/a.bin'))).toBe(false);

  await box.git('alice', 'lfs', 'push', '--all', 'origin');
  await box.git('bob', 'checkout', '-q', '-f', 'HEAD');
  expectSameWorktree(box.path('alice'), box.path('bob'));
});

test('one object missing does not keep git lfs fetch from the others', async () => {
  for (let number = 0; number < 10; number++) box.write(`alice/${number}.bin`, 100 + number);
  await box.push('alice');
  rmSync(stored);
  await box.ok('git', ['clone', '-q', 'remote.git', 'bob'], { env: { GIT_LFS_SKIP_SMUDGE: '1' } });
  const fetch = await box.run('git', ['lfs', 'fetch'], { cwd: 'bob' });
  expect(fetch.status).not.toBe(0);
  expect(fetch.stderr.match(/\[4\]/g)).toHaveLength(1);
  expect(soundObjects(box.path('bob/.git/lfs/objects'))).toHaveLength(10);
});

test('a folder under the name of an object is not taken for it', async () => {
  rmSync(stored);
  box.write(`${stored}/file`, 'inside');
  expect((await cloneThatFails()).stderr).toMatch(/\[[45]\] /);
  const push = await box.run('git', ['lfs', 'push', '--all', 'origin'], { cwd: 'alice' });
  expect(push.status).not.toBe(0);
  expect(push.stderr).toContain(stored);
  expect(readFileSync(`${stored}/file`, 'utf8')).toBe('inside');
});
