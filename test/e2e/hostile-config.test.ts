import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PROGRAM, Sandbox } from '../sandbox.ts';

let box: Sandbox;
beforeEach(() => {
  box = new Sandbox();
});
afterEach(() => box.remove());

test('a clone whose .lfsconfig is a link cannot have init write into the user’s own config', async () => {
  await box.git('.', 'init', '-q', 'evil');
  symlinkSync('../home/.gitconfig', box.path('evil/.lfsconfig'));
  const before = readFileSync(box.path('home/.gitconfig'), 'utf8');
  const { status, stderr } = await box.run(PROGRAM, ['init', box.path('store')], { cwd: 'evil' });
  expect(status).toBe(1);
  expect(stderr).toContain('not a regular file');
  expect(readFileSync(box.path('home/.gitconfig'), 'utf8')).toBe(before);
});

test('trust is taken back in a file that the global config includes', async () => {
  const included = box.write('home/included', `[depot]\n\ttrusted = ${box.path('store')}\n`);
  await box.git('.', 'config', '--global', 'include.path', included);
  expect(await box.depot('.', 'trust', '--list')).toContain(box.path('store'));
  expect(await box.depot('.', 'trust', '--remove', box.path('store'))).toContain('No longer trusted');
  expect(await box.depot('.', 'trust', '--list')).toBe('No location is trusted yet.\n');
});

test('trust that comes from the environment cannot be taken back, and that is said', async () => {
  const env = { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'depot.trusted', GIT_CONFIG_VALUE_0: '/srv/lfs' };
  const { status, stderr } = await box.run(PROGRAM, ['trust', '--remove', '/srv/lfs'], { env });
  expect(status).toBe(1);
  expect(stderr).toContain('from the environment');
});

test('taking back a location tells when one above it is still trusted', async () => {
  await box.depot('.', 'trust', '/srv/lfs/art');
  await box.depot('.', 'trust', '/srv/lfs');
  expect(await box.depot('.', 'trust', '--remove', '/srv/lfs/art')).toContain('a location above it is trusted');
});

test('uninstall finds its keys in an included file, too', async () => {
  await box.depot('.', 'install');
  const keys = readFileSync(box.path('home/.gitconfig'), 'utf8');
  const included = box.write('home/included', keys);
  box.write('home/.gitconfig', `[include]\n\tpath = ${included}\n`);
  await box.depot('.', 'uninstall');
  const left = await box.run('git', ['config', '--get-regexp', 'depot'], {});
  expect(left.stdout).toBe('');
});

test('a temp folder that cannot be used is named, and doctor still answers in JSON', async () => {
  await box.team();
  const env = { TMPDIR: '/nonexistent' };
  const { status, stdout } = await box.run(PROGRAM, ['doctor', '--json'], { cwd: 'alice', env });
  expect(status).toBe(1);
  const { findings } = JSON.parse(stdout) as { findings: { ok: boolean; detail: string; cure?: string }[] };
  const [problem] = findings.filter(({ ok }) => !ok);
  expect(problem?.detail).toContain('/nonexistent');
  expect(problem?.cure).toContain('TMPDIR');
});

test('a remote folder that merely lies in a repository is not taken for that repository', async () => {
  await box.depot('.', 'install');
  await box.git('.', 'init', '-q', 'outer');
  mkdirSync(box.path('outer/plain'));
  await box.git('.', 'init', '-q', 'alice');
  await box.git('alice', 'lfs', 'track', '*.bin');
  await box.git('alice', 'remote', 'add', 'origin', box.path('outer/plain'));
  await box.git('alice', 'config', 'lfs.standalonetransferagent', 'depot');
  await box.depot('.', 'trust', box.path('outer/plain'));
  box.write('alice/a.bin', 100);
  await box.git('alice', 'add', '.');
  await box.git('alice', 'commit', '-qm', 'a');
  const { status, stderr } = await box.run('git', ['lfs', 'push', '--all', 'origin'], { cwd: 'alice' });
  expect(status).not.toBe(0);
  expect(stderr).toContain('not a git repository');
});
