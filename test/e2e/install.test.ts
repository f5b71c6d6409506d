import { copyFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PROGRAM, Sandbox } from '../sandbox.ts';
import { expectSameWorktree, soundStore } from './objects.ts';

const KEYS = ['lfs.customtransfer.depot.path', 'lfs.customtransfer.depot.args', 'lfs.depot::.standalonetransferagent'];

let box: Sandbox;
let config: string;
beforeEach(() => {
  box = new Sandbox();
  config = box.path('home/.gitconfig');
});
afterEach(() => box.remove());

/** Settings and comments of somebody's own, next to which install writes. */
function writeOwnSettings(file: string): void {
  const own =
    '# mine\n[lfs]\n\tconcurrenttransfers = 3 ; a note\n[lfs "customtransfer.other"]\n\tpath = other\n[alias]\n\tst = status\n';
  writeFileSync(file, readFileSync(file, 'utf8') + own);
}

const settings = async (...scope: string[]) =>
  (await box.git('.', 'config', ...scope, '--list', '--null')).split('\0').filter((field) => field !== '');

test('install adds its three keys and touches nothing else; uninstall gives back the very same file', async () => {
  writeOwnSettings(config);
  const text = readFileSync(config, 'utf8');
  const before = await settings('--global');
  await box.depot('.', 'install');
  const added = (await settings('--global')).filter((field) => !before.includes(field));
  expect(added.map((field) => field.slice(0, field.indexOf('\n')))).toEqual(KEYS);
  expect(readFileSync(config, 'utf8').startsWith(text)).toBe(true);
  expect(await settings('--global')).toHaveLength(before.length + KEYS.length);

  const printed = await box.depot('.', 'uninstall');
  for (const key of KEYS) expect(printed).toContain(key);
  expect(readFileSync(config, 'utf8')).toBe(text);
});

test('install twice writes once, and says so', async () => {
  await box.depot('.', 'install');
  const text = readFileSync(config, 'utf8');
  expect(await box.depot('.', 'install')).toContain('installed already');
  expect(readFileSync(config, 'utf8')).toBe(text);
});

test.each([{ scope: [] }, { scope: ['--system'] }])(
  'install $scope after install --file-remotes says that these are served still, and how to end it',
  async ({ scope }) => {
    Object.assign(box.env, { GIT_CONFIG_NOSYSTEM: '0', GIT_CONFIG_SYSTEM: box.write('system config', '') });
    await box.depot('.', 'install', '--file-remotes', ...scope);
    const printed = await box.depot('.', 'install', ...scope);
    expect(printed).not.toContain('Only repositories');
    const [, ...commands] =
      /as install --file-remotes said before \(to end that: ([^,]*), then ([^)]*)\)/.exec(printed) ?? [];
    for (const command of commands) await box.sh('.', command);
    expect(commands).toHaveLength(2);
    expect(await box.depot('.', 'install', ...scope)).toContain(
      'Only repositories whose lfs.url starts with "depot::" use it',
    );
  },
);

test('uninstall where nothing is installed changes nothing', async () => {
  const text = readFileSync(config, 'utf8');
  expect(await box.depot('.', 'uninstall')).toContain('nothing of lfs-depot');
  expect(readFileSync(config, 'utf8')).toBe(text);
});

test('uninstall keeps what is trusted, and install brings everything back', async () => {
  const store = await box.team();
  await box.depot('.', 'uninstall');
  expect(await box.depot('.', 'trust', '--list')).toContain(store);
  await box.depot('.', 'install');
  box.write('alice/a.bin', 500);
  await box.push('alice');
  expect(soundStore(store)).toHaveLength(1);
});

test('install --system writes to the system config, for everybody, and uninstall --system takes it back', async () => {
  const system = box.write('system config', '# of the computer\n[core]\n\tpager = less\n');
  Object.assign(box.env, { GIT_CONFIG_NOSYSTEM: '0', GIT_CONFIG_SYSTEM: system });
  const [systemText, globalText] = [readFileSync(system, 'utf8'), readFileSync(config, 'utf8')];
  await box.depot('.', 'install', '--system');
  expect(readFileSync(config, 'utf8')).toBe(globalText);
  expect(await settings('--system')).toHaveLength(1 + KEYS.length);

  await box.git('.', 'init', '-q', '--bare', 'remote.git');
  await box.git('.', 'clone', '-q', 'remote.git', 'alice');
  await box.git('alice', 'lfs', 'track', '*.bin');
  await box.depot('alice', 'init', box.path('store'));
  box.write('alice/a.bin', 500);
  await box.push('alice');
  expect(soundStore(box.path('store'))).toHaveLength(1);

  await box.depot('.', 'uninstall', '--system');
  expect(readFileSync(system, 'utf8')).toBe(systemText);
});

test('install from another place takes over, without a second set of keys', async () => {
  await box.git('.', 'config', '--global', '--add', 'lfs.customtransfer.depot.path', 'something old');
  await box.git('.', 'config', '--global', '--add', 'lfs.customtransfer.depot.path', 'and again');
  await box.depot('.', 'install');
  mkdirSync(box.path('moved here'));
  copyFileSync(PROGRAM, box.path('moved here/lfs-depot'));
  await box.ok(box.path('moved here/lfs-depot'), ['install']);
  for (const key of KEYS) {
    expect((await box.git('.', 'config', '--get-all', '--null', key)).split('\0')).toHaveLength(2);
  }
  expect(await box.git('.', 'config', KEYS[1]!)).toContain(box.path('moved here/lfs-depot'));
});

test('the script for any Node can be installed in place of the executable', async () => {
  const script = resolve('dist/lfs-depot.cjs');
  await box.team();
  await box.ok(process.execPath, [script, 'install']);
  expect(await box.git('.', 'config', KEYS[1]!)).toContain(script);
  box.write('alice/a.bin', 500);
  await box.push('alice');
  await box.git('.', 'clone', '-q', 'remote.git', 'bob');
  expectSameWorktree(box.path('alice'), box.path('bob'));
  expect(JSON.parse(await box.ok(process.execPath, [script, 'doctor', '--json'], { cwd: 'bob' }))).toMatchObject({
    ok: true,
  });
});

test('after the program was moved away, push and clone name the program and the command that mends it', async () => {
  mkdirSync(box.path('old'));
  const program = box.path('old/lfs-depot');
  copyFileSync(PROGRAM, program);
  const store = await box.team();
  await box.ok(program, ['install']);
  for (const name of ['a', 'b']) box.write(`alice/${name}.bin`, 500);
  await box.push('alice');
  renameSync(box.path('old'), box.path('new'));

  box.write('alice/c.bin', 500);
  await box.git('alice', 'add', '.');
  await box.git('alice', 'commit', '-qm', 'c');
  const push = await box.run('git', ['push', '-q', 'origin', 'HEAD'], { cwd: 'alice' });
  const clone = await box.run('git', ['clone', '-q', 'remote.git', 'bob']);
  for (const { status, stderr } of [push, clone]) {
    expect(status).not.toBe(0);
    expect(stderr).not.toContain('EOF');
    expect(stderr).toContain(`[2] cannot start lfs-depot: there is no program at ${program}`);
    expect(stderr).toContain('lfs-depot install');
  }
  await box.ok(box.path('new/lfs-depot'), ['install']);
  await box.git('alice', 'push', '-q', 'origin', 'HEAD');
  expect(soundStore(store)).toHaveLength(3);
});
