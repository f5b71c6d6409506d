import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PROGRAM, Sandbox } from '../sandbox.ts';

let box: Sandbox;
beforeEach(() => {
  box = new Sandbox();
});
afterEach(() => box.remove());

const list = (): Promise<string> => box.depot('.', 'trust', '--list');

test('trust adds a location once, and not what is covered already', async () => {
  expect(await list()).toBe('No location is trusted yet.\n');
  expect(await box.depot('.', 'trust', '/srv/lfs')).toContain('Trusted from now on');
  for (const covered of ['/srv/lfs', '/srv/lfs/art', 'file:///srv/lfs/', '/srv/../srv/lfs']) {
    expect(await box.depot('.', 'trust', covered)).toContain('Trusted already');
  }
  await box.depot('.', 'trust', '/srv/lfs2');
  expect(await list()).toBe('/srv/lfs\t(global git config)\n/srv/lfs2\t(global git config)\n');
});

test('several at once wait for each other', async () => {
  const locations = Array.from({ length: 12 }, (_, index) => `/srv/lfs${String.fromCharCode(97 + index)}`);
  await Promise.all(locations.map((location) => box.depot('.', 'trust', location)));
  const there = (await list()).trim().split('\n');
  expect(there.sort()).toEqual(locations.map((location) => `${location}\t(global git config)`));
});

test('a lock that a killed git left is named', async () => {
  const lock = box.path('home/.gitconfig.lock');
  writeFileSync(lock, '');
  const { status, stderr } = await box.run(PROGRAM, ['trust', '/srv/lfs'], { env: { LC_ALL: 'de_DE.UTF-8' } });
  expect(status).toBe(1);
  expect(stderr).toContain(
    `hint: another git is changing that file, or was ended while it did: when none runs, remove ${lock}`,
  );
});

test('trust --list --json is for programs', async () => {
  expect(JSON.parse(await box.depot('.', 'trust', '--list', '--json'))).toEqual([]);
  await box.depot('.', 'trust', '/srv/with "quotes"');
  expect(JSON.parse(await box.depot('.', 'trust', '--list', '--json'))).toEqual([
    { location: '/srv/with "quotes"', scope: 'global' },
  ]);
});

test('trust --remove takes back exactly one location, and leaves the config as it was', async () => {
  const before = readFileSync(box.path('home/.gitconfig'), 'utf8');
  await box.depot('.', 'trust', '/srv/a.b+(c)');
  const withOne = readFileSync(box.path('home/.gitconfig'), 'utf8');
  await box.depot('.', 'trust', '/srv/axb+(c)');
  expect(await box.depot('.', 'trust', '--remove', '/srv/axb+(c)/')).toContain('No longer trusted');
  expect(readFileSync(box.path('home/.gitconfig'), 'utf8')).toBe(withOne);
  await box.depot('.', 'trust', '--remove', '/srv/a.b+(c)');
  expect(readFileSync(box.path('home/.gitconfig'), 'utf8')).toBe(before);
});

test('what is not on the list cannot be removed, what lies below an entry neither', async () => {
  await box.depot('.', 'trust', '/srv');
  for (const location of ['/other', '/srv/lfs', '/']) {
    const removal = await box.run(PROGRAM, ['trust', '--remove', location]);
    expect(removal.status).toBe(1);
    expect(removal.stderr).toContain('hint: see what is: lfs-depot trust --list');
  }
  expect(await list()).toBe('/srv\t(global git config)\n');
});

test('trust without a location takes the one that the repository at hand names', async () => {
  await box.team();
  await box.depot('.', 'trust', '--remove', box.path('store'));
  await box.depot('alice', 'trust');
  expect(await list()).toBe(`${box.path('store')}\t(global git config)\n`);
});

test('trust without a location is refused where there is nothing to trust', async () => {
  const outside = await box.run(PROGRAM, ['trust']);
  expect(outside.status).toBe(1);
  expect(outside.stderr).toMatch(/^error: [^\n]+\nhint: [^\n]+\n$/);
  await box.git('.', 'init', '-q', 'unset');
  const unset = await box.run(PROGRAM, ['trust'], { cwd: 'unset' });
  expect(unset.status).toBe(1);
  expect(unset.stderr).toContain('lfs-depot init <location>');
});

test('trust of what is no location is refused, and writes nothing', async () => {
  const before = readFileSync(box.path('home/.gitconfig'), 'utf8');
  for (const text of ['', 'ftp://example.com', 'https://user:secret@example.com/lfs']) {
    const { status, stderr } = await box.run(PROGRAM, ['trust', text]);
    expect(status).toBe(1);
    expect(stderr).not.toContain('secret');
  }
  expect(readFileSync(box.path('home/.gitconfig'), 'utf8')).toBe(before);
});

test('a location in the system config is listed with its scope, and removed where that may be written', async () => {
  const system = box.write('system', '[depot]\n\ttrusted = /srv/all\n');
  Object.assign(box.env, { GIT_CONFIG_NOSYSTEM: '0', GIT_CONFIG_SYSTEM: system });
  expect(await list()).toBe('/srv/all\t(system git config)\n');
  await box.depot('.', 'trust', '--remove', '/srv/all');
  expect(await list()).toBe('No location is trusted yet.\n');
});

test.each([
  [['--json']],
  [['/srv/lfs', '--list']],
  [['/srv/lfs', '--remove', '/srv/other']],
  [['--list', '--remove', '/srv/lfs']],
  [['--mirrors', '/srv/more']],
  [['--mirrors', '--list']],
  [['--mirrors', '--remove', '/srv/lfs']],
])('what cannot be meant together is wrong usage, and changes nothing: %j', async (args) => {
  await box.depot('.', 'trust', '/srv/lfs');
  const before = await box.depot('.', 'trust', '--list');
  expect((await box.run(PROGRAM, ['trust', ...args])).status).toBe(2);
  expect(await box.depot('.', 'trust', '--list')).toBe(before);
});
