import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PROGRAM, Sandbox } from '../sandbox.ts';
import { startLfsServer } from './lfs-server.ts';
import { oidOf, soundStore } from './objects.ts';

let box: Sandbox;
let store: string;
beforeEach(async () => {
  box = new Sandbox();
  store = await box.team();
});
afterEach(() => box.remove());

/** A second store, made in a repository that is of no further interest. */
async function anotherStore(name: string): Promise<string> {
  await box.git('.', 'init', '-q', `made ${name}`);
  await box.depot(`made ${name}`, 'init', box.path(name));
  await box.depot('.', 'trust', '--remove', box.path(name));
  return box.path(name);
}

async function commitFile(clone: string, name: string): Promise<string> {
  const content = readFileSync(box.write(`${clone}/${name}`, 500));
  await box.git(clone, 'add', '.');
  await box.git(clone, 'commit', '-qm', name);
  return oidOf(content);
}

test('a remote that is not called origin works', async () => {
  const first = await commitFile('alice', 'a.bin');
  await box.git('alice', 'push', '-q', 'origin', 'HEAD');
  await box.git('.', 'clone', '-q', '-o', 'upstream', 'remote.git', 'bob');
  expect(oidOf(readFileSync(box.path('bob/a.bin')))).toBe(first);
  const second = await commitFile('bob', 'b.bin');
  await box.git('bob', 'push', '-q', 'upstream', 'HEAD');
  expect(soundStore(store)).toEqual([first, second].sort());
});

test('git push with a URL in place of a remote works', async () => {
  await box.git('.', 'init', '-q', '--bare', 'second.git');
  const oid = await commitFile('alice', 'a.bin');
  await box.git('alice', 'push', '-q', box.path('second.git'), 'HEAD:main');
  const other = await commitFile('alice', 'b.bin');
  await box.git('alice', 'push', '-q', `file://${box.path('second.git')}`, 'HEAD:main');
  expect(soundStore(store)).toEqual([oid, other].sort());
});

test('each remote may have a store of its own, by remote.<name>.lfsurl', async () => {
  const stores: Record<string, string> = { one: await anotherStore('first'), two: await anotherStore('second') };
  await box.git('alice', 'rm', '-q', '.lfsconfig');
  await box.git('alice', 'commit', '-qm', 'no lfs.url');
  const oid = await commitFile('alice', 'a.bin');
  for (const [name, location] of Object.entries(stores)) {
    await box.git('.', 'init', '-q', '--bare', `${name}.git`);
    await box.git('alice', 'remote', 'add', name, box.path(`${name}.git`));
    await box.git('alice', 'config', `remote.${name}.lfsurl`, `depot::${location}`);
  }
  await box.git('alice', 'push', '-q', 'two', 'HEAD');
  expect(soundStore(box.path('first'))).toEqual([]);
  expect(soundStore(box.path('second'))).toEqual([oid]);
  await box.git('alice', 'push', '-q', 'one', 'HEAD');
  expect(soundStore(box.path('first'))).toEqual([oid]);
  expect(soundStore(store)).toEqual([]);
});

test('remote.<name>.lfsurl in .lfsconfig is used once its location is trusted', async () => {
  const location = await anotherStore('of origin');
  await box.git('alice', 'config', '--file', '.lfsconfig', '--unset', 'lfs.url');
  await box.git('alice', 'config', '--file', '.lfsconfig', 'remote.origin.lfsurl', `depot::${location}`);
  const oid = await commitFile('alice', 'a.bin');
  const refused = await box.run('git', ['push', '-q', 'origin', 'HEAD'], { cwd: 'alice' });
  expect(refused.stderr).toContain(`[2] will not open ${location}: remote.origin.lfsurl in .lfsconfig names it`);
  await box.depot('alice', 'trust', location);
  await box.git('alice', 'push', '-q', 'origin', 'HEAD');
  expect(soundStore(location)).toEqual([oid]);
});

test('the lfs.url of git config goes before .lfsconfig, and needs no trust', async () => {
  const location = await anotherStore('mine');
  await box.git('alice', 'config', 'lfs.url', `depot::${location}`);
  const oid = await commitFile('alice', 'a.bin');
  await box.git('alice', 'push', '-q', 'origin', 'HEAD');
  expect(soundStore(location)).toEqual([oid]);
  expect(soundStore(store)).toEqual([]);
});

test('lfs.pushurl sends pushes elsewhere, and fetches stay where they were', async () => {
  const location = await anotherStore('for pushes');
  const first = await commitFile('alice', 'a.bin');
  await box.git('alice', 'push', '-q', 'origin', 'HEAD');
  await box.git('alice', 'config', 'lfs.pushurl', `depot::${location}`);
  const second = await commitFile('alice', 'b.bin');
  await box.git('alice', 'push', '-q', 'origin', 'HEAD');
  expect(soundStore(location)).toEqual([second]);
  expect(soundStore(store)).toEqual([first]);
  await box.git('alice', 'rm', '-q', '--cached', 'b.bin');
  await box.ok('sh', ['-c', 'rm -rf .git/lfs/objects a.bin && git checkout -q a.bin'], { cwd: 'alice' });
  expect(oidOf(readFileSync(box.path('alice/a.bin')))).toBe(first);
});

test('url.<base>.insteadOf moves a whole team to another location', async () => {
  const location = await anotherStore('moved');
  await box.git('.', 'config', '--global', `url.depot::${location}.insteadOf`, `depot::${store}`);
  await box.depot('.', 'trust', location);
  const oid = await commitFile('alice', 'a.bin');
  await box.git('alice', 'push', '-q', 'origin', 'HEAD');
  expect(soundStore(location)).toEqual([oid]);
  expect(soundStore(store)).toEqual([]);
});

test('LFS_DEPOT_LOCATION names the location for one command', async () => {
  const location = await anotherStore('just once');
  const oid = await commitFile('alice', 'a.bin');
  await box.ok('git', ['push', '-q', 'origin', 'HEAD'], { cwd: 'alice', env: { LFS_DEPOT_LOCATION: location } });
  expect(soundStore(location)).toEqual([oid]);
  expect(soundStore(store)).toEqual([]);
});

test.each([
  ['file URL', (path: string) => `depot::file://${encodeURI(path)}`],
  ['file URL with localhost', (path: string) => `depot::file://localhost${encodeURI(path)}`],
  ['path with dots and slashes', (path: string) => `depot::${path}/../store//./`],
])('the location may be written as a %s', async (_, spell) => {
  await box.git('alice', 'config', '--file', '.lfsconfig', 'lfs.url', spell(store));
  const oid = await commitFile('alice', 'a.bin');
  await box.git('alice', 'push', '-q', 'origin', 'HEAD');
  expect(soundStore(store)).toEqual([oid]);
});

test('repositories on other LFS servers are as before', async () => {
  const server = await startLfsServer();
  try {
    await box.git('.', 'init', '-q', '--bare', 'other.git');
    await box.git('.', 'clone', '-q', 'other.git', 'other');
    await box.git('other', 'lfs', 'track', '*.bin');
    await box.git('other', 'config', '--file', '.lfsconfig', 'lfs.url', server.url);
    const oid = await commitFile('other', 'a.bin');
    await box.git('other', 'push', '-q', 'origin', 'HEAD');
    expect([...server.objects.keys()]).toEqual([oid]);
    await box.git('.', 'clone', '-q', 'other.git', 'cloned');
    expect(oidOf(readFileSync(box.path('cloned/a.bin')))).toBe(oid);
    expect(soundStore(store)).toEqual([]);
  } finally {
    server.stop();
  }
});

const SERVER = 'https://lfs.example.com/x';

test.each([
  ['the remote', 'remote.origin.url', 'https://git.example.com/a/b.git'],
  ['lfs.url', 'lfs.url', SERVER],
])(
  'in a repository on an LFS server, by %s, doctor finds nothing wrong, and other commands say so',
  async (_, key, url) => {
    await box.git('.', 'init', '-q', 'other');
    await box.git('other', 'config', key, url);
    const before = readFileSync(box.path('other/.git/config'), 'utf8');
    const report = await box.depot('other', 'doctor');
    expect(report).not.toContain('✗');
    expect(report).toContain(`✓ location: its objects belong to the LFS server of ${url} (${key} in local git config)`);
    expect(report).toMatch(/\nNothing is wrong, .* lfs-depot init <location>\n$/);
    expect(JSON.parse(await box.depot('other', 'doctor', '--json'))).toMatchObject({ ok: true });
    for (const args of [['status'], ['trust'], ['mirror', 'list'], ['login']]) {
      const { status, stdout, stderr } = await box.run(PROGRAM, args, { cwd: 'other' });
      expect([status, stdout]).toEqual([1, '']);
      expect(stderr).toContain(`belong to the LFS server of ${url}`);
      expect(stderr).toContain('\nhint: if it is to keep them, run: lfs-depot init <location>\n');
    }
    expect(readFileSync(box.path('other/.git/config'), 'utf8')).toBe(before);
  },
);

test.each(['lfs.standalonetransferagent', 'lfs.https://*.example.com/.standalonetransferagent'])(
  '%s that sends an LFS server’s repository to lfs-depot is told by all, and the cure takes it back',
  async (key) => {
    await box.git('.', 'init', '-q', 'other');
    await box.git('other', 'remote', 'add', 'origin', 'https://git.example.com/a/b.git');
    await box.git('other', 'config', 'lfs.url', SERVER);
    await box.git('other', 'config', key, 'depot');
    const { status, stdout } = await box.run(PROGRAM, ['doctor'], { cwd: 'other' });
    expect([status, stdout.match(/^✗ location.*/m)?.[0]]).toEqual([
      1,
      expect.stringContaining(`keep LFS objects at ${SERVER}`),
    ]);
    await box.git('other', 'lfs', 'track', '*.bin');
    await commitFile('other', 'a.bin');
    const pushed = await box.run('git', ['lfs', 'push', '--all', 'origin'], { cwd: 'other' });
    expect(pushed.stderr).toContain(`[2] cannot keep LFS objects at ${SERVER}`);
    const [, cure = 'no cure'] = /or `(git config [^`]+)`/.exec(stdout) ?? [];
    await box.sh('other', cure);
    expect(await box.depot('other', 'doctor')).toContain('Nothing is wrong');
  },
);
