import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { filesBelow, PROGRAM, type Result, Sandbox } from '../sandbox.ts';
import { expectSameWorktree, objectFile, oidOf, soundStore } from './objects.ts';

/** An empty clone `alice` of an empty remote, lfs-depot installed. */
let box: Sandbox;
beforeEach(async () => {
  box = new Sandbox();
  await box.depot('.', 'install');
  await box.git('.', 'init', '-q', '--bare', 'remote.git');
  await box.git('.', 'clone', '-q', 'remote.git', 'alice');
  await box.git('alice', 'lfs', 'track', '*.bin');
});
afterEach(() => box.remove());

const init = (cwd: string, ...args: string[]): Promise<Result> => box.run(PROGRAM, ['init', ...args], { cwd });
const urlOf = (clone: string): Promise<string> => box.git(clone, 'config', '--file', '.lfsconfig', 'lfs.url');
const globalConfig = (): string => readFileSync(box.path('home/.gitconfig'), 'utf8');

/** Runs an init that is refused, and checks that it wrote no setting anywhere. */
async function refused(cwd: string, ...args: string[]): Promise<string> {
  const before = globalConfig();
  const { status, stderr, stdout } = await init(cwd, ...args);
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toMatch(/^error: [^\n]+\nhint: [^\n]+\n(if [^\n]+\n)?$/);
  expect(existsSync(box.path(cwd, '.lfsconfig'))).toBe(false);
  expect(globalConfig()).toBe(before);
  return stderr;
}

test('init makes a store, names it in .lfsconfig, trusts it and tells the next steps', async () => {
  const store = box.path('store');
  const printed = await box.depot('alice', 'init', store);
  expect(soundStore(store)).toEqual([]);
  expect(await urlOf('alice')).toBe(`depot::${store}\n`);
  expect(await box.depot('.', 'trust', '--list')).toBe(`${store}\t(global git config)\n`);
  const steps = printed
    .slice(printed.indexOf('Next:'))
    .split('\n')
    .filter((line) => line.startsWith('  '))
    .map((line) => line.trim());
  box.write('alice/a.bin', 500);
  for (const step of steps)
    await box.sh('alice', step.replace('git add ', 'git add a.bin ').replace(/^git push$/, 'git push -q origin HEAD'));
  await box.git('.', 'clone', '-q', 'remote.git', 'bob');
  expectSameWorktree(box.path('alice'), box.path('bob'));
});

test('init a second time, and from a second clone, finds the store and changes nothing', async () => {
  const store = box.path('store');
  await box.depot('alice', 'init', store);
  const marker = readFileSync(`${store}/lfs-depot.json`, 'utf8');
  const lfsconfig = readFileSync(box.path('alice/.lfsconfig'), 'utf8');
  const before = globalConfig();
  expect(await box.depot('alice', 'init', store)).toContain('Found the store');
  expect(readFileSync(`${store}/lfs-depot.json`, 'utf8')).toBe(marker);
  expect(readFileSync(box.path('alice/.lfsconfig'), 'utf8')).toBe(lfsconfig);
  expect(globalConfig()).toBe(before);
  await box.git('.', 'init', '-q', 'another');
  await box.depot('another', 'init', store);
  expect(readFileSync(`${store}/lfs-depot.json`, 'utf8')).toBe(marker);
});

test('init uses an empty folder that is there, also one with the litter of a file manager', async () => {
  mkdirSync(box.path('store'));
  for (const name of ['.DS_Store', 'Thumbs.db', 'desktop.ini']) box.write(`store/${name}`, 'litter');
  expect(await box.depot('alice', 'init', box.path('store'))).toContain('Made a new store');
});

test.each([
  ['relative', '../store', 'alice', 'store'],
  ['relative in a subfolder', '../../store', 'alice/sub', 'store'],
  ['~', '~/store', 'alice', 'home/store'],
  ['with dots', '../nowhere/.././store', 'alice', 'store'],
])(
  'a location may be typed %s, and is written absolute into the .lfsconfig of the repository',
  async (_, typed, cwd, made) => {
    mkdirSync(box.path(cwd), { recursive: true });
    await box.depot(cwd, 'init', typed);
    expect(await urlOf('alice')).toBe(`depot::${box.path(made)}\n`);
    expect(soundStore(box.path(made))).toEqual([]);
  },
);

test('init keeps what else .lfsconfig holds, and warns of the location that it replaces', async () => {
  box.write('alice/.lfsconfig', '# ours\n[lfs]\n\turl = https://lfs.example.com/x\n\tfetchexclude = old/*\n');
  const printed = await box.depot('alice', 'init', box.path('store'));
  expect(readFileSync(box.path('alice/.lfsconfig'), 'utf8')).toBe(
    `# ours\n[lfs]\n\turl = depot::${box.path('store')}\n\tfetchexclude = old/*\n`,
  );
  expect(printed).toContain('warning: .lfsconfig said https://lfs.example.com/x before');
});

test('init replaces a location that differs in a blank at its end', async () => {
  const store = box.path('store');
  await box.git('alice', 'config', '--file', '.lfsconfig', 'lfs.url', `depot::${store} `);
  const printed = await box.depot('alice', 'init', store);
  expect(printed).toContain('Written to .lfsconfig');
  expect(await urlOf('alice')).toBe(`depot::${store}\n`);
});

test('init warns of a setting that goes before .lfsconfig', async () => {
  await box.git('alice', 'config', 'lfs.url', 'https://lfs.example.com/x');
  const printed = await box.depot('alice', 'init', box.path('store'));
  expect(printed).toContain('warning: ');
  expect(printed).toContain('lfs.url in local git config');
});

test('init --adopt takes over the folder of lfs-folderstore, whose objects then arrive in clones', async () => {
  const store = box.path('folderstore');
  const contents = [1, 2, 3].map((number) => Buffer.from(`an object of ${number}`));
  for (const content of contents) box.write(objectFile(store, oidOf(content)), content);
  const plain = await refused('alice', store);
  expect(plain).toContain('--adopt');
  expect(filesBelow(store)).toHaveLength(contents.length);

  expect(await box.depot('alice', 'init', '--adopt', store)).toContain('Adopted a store of 3 objects');
  expect(soundStore(store)).toEqual(contents.map(oidOf).sort());
  for (const [index, content] of contents.entries()) box.write(`alice/${index}.bin`, content);
  await box.push('alice');
  await box.git('.', 'clone', '-q', 'remote.git', 'bob');
  expectSameWorktree(box.path('alice'), box.path('bob'));
});

test('a folder of objects in another layout is refused with the way out', async () => {
  const oid = oidOf(Buffer.from('flat'));
  box.write(`flat/${oid}`, 'flat');
  for (const options of [[], ['--adopt']])
    expect(await refused('alice', ...options, box.path('flat'))).toContain('aa/bb/<oid>');
  expect(filesBelow(box.path('flat'))).toEqual([oid]);
});

test('a folder with other files is refused and left as it is', async () => {
  box.write('documents/letter.txt', 'dear');
  const said = await refused('alice', box.path('documents'));
  expect(said).toContain('letter.txt');
  expect(filesBelow(box.path('documents'))).toEqual(['letter.txt']);
  const [, command = 'no command'] = /: (lfs-depot init .*)$/m.exec(said) ?? [];
  await box.sh('alice', command);
  expect(soundStore(box.path('documents/lfs'))).toEqual([]);
});

test.each(['alice/store', 'alice', 'alice/.git/store', 'alice/sub/store'])(
  'a store inside of the repository is refused: %s',
  async (inner) => {
    const before = filesBelow(box.path('alice'));
    expect(await refused('alice', box.path(inner))).toContain('inside this very repository');
    expect(filesBelow(box.path('alice'))).toEqual(before);
  },
);

test('a store inside of the repository is refused when it is reached through a link too', async () => {
  symlinkSync(box.path('alice'), box.path('link'));
  expect(await refused('alice', box.path('link/store'))).toContain('inside this very repository');
});

test('a store whose parent folder is missing is refused: that may be a share that is not mounted', async () => {
  const said = await refused('alice', box.path('not mounted/store'));
  expect(said).toContain(box.path('not mounted/store'));
  expect(existsSync(box.path('not mounted'))).toBe(false);
});

test('a file in place of the folder is refused', async () => {
  box.write('file', 'content');
  expect(await refused('alice', box.path('file'))).toContain(box.path('file'));
  expect(await refused('alice', box.path('file/store'))).toContain(box.path('file'));
});

test('in a bare repository, and outside of one, init is refused', async () => {
  expect(await refused('remote.git', box.path('store'))).toContain('bare repository');
  expect(await refused('home', box.path('store'))).toContain('git repository');
  expect(existsSync(box.path('store'))).toBe(false);
});

test.each([
  '',
  'ftp://example.com/lfs',
  'D:/lfs',
  '//server/share',
  'https://user:secret@example.com/lfs',
  '/two\nlines',
])('a location that cannot be used here is refused: %j', async (location) => {
  expect(await refused('alice', location)).not.toContain('secret');
});

test('in a linked worktree init writes the .lfsconfig of that worktree', async () => {
  await box.git('alice', 'commit', '-q', '--allow-empty', '-m', 'start');
  await box.git('alice', 'worktree', 'add', '-q', '../linked');
  await box.depot('linked', 'init', box.path('store'));
  expect(await urlOf('linked')).toBe(`depot::${box.path('store')}\n`);
  expect(existsSync(box.path('alice/.lfsconfig'))).toBe(false);
});
