import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PROGRAM, Sandbox } from '../sandbox.ts';
import { expectSameWorktree, soundStore } from './objects.ts';

// One committed location, //server/share/folder, for everybody: here as it is used on Linux and macOS, where the share is
// mounted somewhere. A folder stands for the mount; test/unit/mount-table.test.ts reads what kernels say of real ones.

const SHARE = '//files.example.com/team';

let box: Sandbox;
beforeEach(() => {
  box = new Sandbox();
  mkdirSync(box.path('mnt/team'), { recursive: true });
});
afterEach(() => box.remove());

async function mount(share = SHARE, folder = box.path('mnt/team')): Promise<void> {
  await box.git('.', 'config', '--global', '--replace-all', 'depot.mount', `${share}=${folder}`);
}

test('init, push and clone go through the mount, and .lfsconfig names the share', async () => {
  await mount();
  await box.team('\\\\files.example.com\\team\\art');
  expect(readFileSync(box.path('alice/.lfsconfig'), 'utf8')).toContain(`url = depot::${SHARE}/art`);
  box.write('alice/a.bin', 5000);
  await box.push('alice');
  expect(soundStore(box.path('mnt/team/art'))).toHaveLength(1);
  await box.git('.', 'clone', '-q', 'remote.git', 'bob');
  expectSameWorktree(box.path('alice'), box.path('bob'));
  const diagnosis = await box.ok(PROGRAM, ['doctor', '--json'], { cwd: 'bob' });
  expect(JSON.parse(diagnosis)).toMatchObject({ ok: true });
  expect(diagnosis).toContain(`; mounted here as ${box.path('mnt/team/art')}`);
});

test('where the share is mounted is asked anew each time: another folder is found by the next push', async () => {
  await mount();
  await box.team(`${SHARE}/art`);
  renameSync(box.path('mnt/team'), box.path('mnt/elsewhere'));
  await mount(SHARE.toUpperCase(), box.path('mnt/elsewhere'));
  box.write('alice/a.bin', 500);
  await box.push('alice');
  expect(soundStore(box.path('mnt/elsewhere/art'))).toHaveLength(1);
});

test('a share that is not mounted is said to be so, with the command; once it is, the same push succeeds', async () => {
  await mount();
  await box.team(`${SHARE}/art`);
  await box.git('.', 'config', '--global', '--unset-all', 'depot.mount');
  box.write('alice/a.bin', 500);
  await box.git('alice', 'add', '.');
  await box.git('alice', 'commit', '-qm', 'a');
  const refused = await box.run('git', ['push', '-q', 'origin', 'HEAD'], { cwd: 'alice' });
  expect(refused.status).not.toBe(0);
  expect(refused.stderr).toContain(`[3] cannot open ${SHARE}/art: ${SHARE} is not mounted on this computer`);
  expect(refused.stderr).toContain(`sudo mount -t cifs ${SHARE} `);
  const [, command = 'no command'] = /say where: (git config .*)$/m.exec(refused.stderr) ?? [];
  await box.sh('alice', command.replace('/mnt/<folder>', box.path('mnt/team')));
  await box.git('alice', 'push', '-q', 'origin', 'HEAD');
  expect(soundStore(box.path('mnt/team/art'))).toHaveLength(1);
});

test('the empty folder that an unmounted share leaves is no store', async () => {
  await mount();
  await box.team(`${SHARE}/art`);
  rmSync(box.path('mnt/team/art'), { recursive: true });
  box.write('alice/a.bin', 500);
  await box.git('alice', 'add', '.');
  await box.git('alice', 'commit', '-qm', 'a');
  const refused = await box.run('git', ['push', '-q', 'origin', 'HEAD'], { cwd: 'alice' });
  expect(refused.stderr).toContain(`[3] `);
  expect(refused.stderr).toContain(`not mounted, or not a store yet: ${SHARE}/art does not exist`);
});

test('trust is in the share, not in the folder: who has not allowed it opens nothing, whatever the case of its name', async () => {
  await mount();
  await box.team(`${SHARE}/art`);
  box.write('alice/a.bin', 500);
  await box.push('alice');
  const bob = new Sandbox();
  try {
    await bob.depot('.', 'install');
    await bob.git('.', 'config', '--global', 'depot.mount', `${SHARE}=${box.path('mnt/team')}`);
    const refused = await bob.run('git', ['clone', '-q', box.path('remote.git'), 'clone']);
    expect(refused.stderr).toContain(`[2] will not open ${SHARE}/art`);
    await bob.depot('.', 'trust', 'smb://FILES.example.com/Team');
    await bob.git('clone', 'checkout', '-f', 'HEAD');
    expectSameWorktree(box.path('alice'), bob.path('clone'));
  } finally {
    bob.remove();
  }
});

const HAS_STRACE = ['/usr/bin/strace', '/bin/strace'].some((path) => existsSync(path));

test.skipIf(!HAS_STRACE)('before it is trusted, it is not even looked for where the share is mounted', async () => {
  await mount();
  await box.team(`${SHARE}/art`);
  box.write('alice/a.bin', 500);
  await box.push('alice');
  await box.git('.', 'config', '--global', '--unset-all', 'depot.trusted');
  const traced = async () => {
    rmSync(box.path('alice/.git/lfs/objects'), { recursive: true, force: true });
    const words = ['-f', '-qq', '-s', '4096', '-e', 'trace=%file', '-o', box.path('calls'), 'git', 'lfs', 'fetch'];
    await box.run('strace', words, { cwd: 'alice' });
    const calls = readFileSync(box.path('calls'), 'utf8').split('\n');
    return calls.filter((line) => line.includes(`"${box.path('mnt')}`) && !line.includes('execve('));
  };
  expect(await traced()).toEqual([]);
  await box.depot('alice', 'trust');
  expect(await traced()).not.toEqual([]);
});

test("a mount named by .lfsconfig counts for nothing: it is somebody else's text", async () => {
  await mount();
  await box.team(`${SHARE}/art`);
  await box.git('.', 'config', '--global', '--unset-all', 'depot.mount');
  await box.git('alice', 'config', '--file', '.lfsconfig', 'depot.mount', `${SHARE}=${box.path('mnt/team')}`);
  box.write('alice/a.bin', 500);
  await box.git('alice', 'add', '.');
  await box.git('alice', 'commit', '-qm', 'a');
  const refused = await box.run('git', ['push', '-q', 'origin', 'HEAD'], { cwd: 'alice' });
  expect(refused.stderr).toContain('is not mounted on this computer');
});

// GitHub Desktop, VS Code, Fork, SourceTree: no terminal, and a PATH on which not even git is.
test('a push and a clone work from a program with a bare PATH and no terminal', async () => {
  await mount();
  await box.team(`${SHARE}/art`);
  box.write('alice/a.bin', 500);
  await box.git('alice', 'add', '.');
  await box.git('alice', 'commit', '-qm', 'a');
  const [git, lfs, sh] = ['git', 'git-lfs', 'sh'].map((name) => whereIs(name));
  mkdirSync(box.path('bare'));
  symlinkSync(lfs!, box.path('bare/git-lfs'));
  symlinkSync(sh!, box.path('bare/sh'));
  const env = { PATH: box.path('bare'), TERM: undefined };
  await box.ok(whereIs('setsid'), ['-w', git!, '-C', box.path('alice'), 'push', '-q', 'origin', 'HEAD'], { env });
  await box.ok(whereIs('setsid'), ['-w', git!, 'clone', '-q', box.path('remote.git'), box.path('bob')], { env });
  expectSameWorktree(box.path('alice'), box.path('bob'));
});

function whereIs(name: string): string {
  const folder = (process.env.PATH ?? '').split(':').find((entry) => entry !== '' && existsSync(`${entry}/${name}`));
  return `${folder}/${name}`;
}
