import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PROGRAM, type Result, Sandbox } from '../sandbox.ts';

/** A clone `alice` with the hook that docs/keeps-working.md shows, on `main`, which is pushed. */
let box: Sandbox;
let store: string;
beforeEach(async () => {
  box = new Sandbox();
  store = await box.team();
  writeFileSync(box.path('alice/.git/hooks/pre-push'), documentedHook(), { mode: 0o755 });
  box.write('alice/a.bin', 500);
  expect(await commitAndPush('main')).toMatchObject({ status: 0 });
});
afterEach(() => box.remove());

function documentedHook(): string {
  const page = readFileSync(resolve(import.meta.dirname, '../../docs/keeps-working.md'), 'utf8');
  const block = /```sh\n( *#!\/bin\/sh\n.*?)```/s.exec(page)?.[1] ?? 'exit 9 # the page shows no hook';
  return block.replace(/^ +/gm, '');
}

function push(...refs: string[]): Promise<Result> {
  const PATH = `${dirname(PROGRAM)}:${box.env.PATH}`;
  return box.run('git', ['push', '-q', 'origin', ...refs], { cwd: 'alice', env: { PATH } });
}

async function commit(): Promise<void> {
  await box.git('alice', 'add', '.');
  await box.git('alice', 'commit', '-qm', 'change');
}

async function commitAndPush(...refs: string[]): Promise<Result> {
  await commit();
  return push(...refs);
}

/** A branch whose only object waits on this computer. `main` is checked out again. */
async function waitingBranch(name = 'feature'): Promise<void> {
  await box.git('alice', 'checkout', '-q', '-b', name);
  box.write(`alice/${name}.bin`, 700);
  await commit();
  await box.git('alice', 'checkout', '-q', 'main');
  await box.depot('alice', 'offline', 'auto');
  renameSync(store, `${store} away`);
  expect(await push(name)).toMatchObject({ status: 1 });
  renameSync(`${store} away`, store);
  // Else the next push would deliver it.
  await box.depot('alice', 'offline', 'on');
}

const onRemote = async (): Promise<string[]> =>
  (await box.git('remote.git', 'for-each-ref', '--format=%(refname:short)')).trim().split('\n');

test('what waits on this computer is kept back, whichever branch is pushed', async () => {
  await waitingBranch();
  const refused = await push('feature');
  expect(refused.status).toBe(1);
  expect(refused.stdout + refused.stderr).toContain('1 object (700 bytes) of feature is not in');
  expect(refused.stdout + refused.stderr).toContain('waiting on this computer: lfs-depot sync');
  await box.git('alice', 'tag', '-a', '-m', 'one', 'v1', 'feature');
  expect((await push('v1')).stdout).toContain('of v1 is not in');
  expect((await push('main', 'feature')).status).toBe(1);
  expect(await onRemote()).toEqual(['main']);

  await box.depot('alice', 'sync');
  expect(await push('feature', 'v1')).toMatchObject({ status: 0 });
  expect(await onRemote()).toEqual(['feature', 'main', 'v1']);
});

test('what is checked out is of no matter to a push of something else', async () => {
  await waitingBranch();
  box.write('alice/b.bin', 300);
  await box.depot('alice', 'offline', 'off');
  await commit();
  await box.git('alice', 'lfs', 'push', 'origin', 'main');
  await box.git('alice', 'checkout', '-q', '-b', 'next', 'main');
  box.write('alice/next.bin', 300);
  await commit();
  expect(await box.run(PROGRAM, ['status', '--check'], { cwd: 'alice' })).toMatchObject({ status: 1 });
  expect(await push('main')).toMatchObject({ status: 0 });
});

test('deletions, and pushes with nothing to send, go through', async () => {
  await box.git('alice', 'branch', 'old');
  expect(await push('old')).toMatchObject({ status: 0 });
  await waitingBranch();
  await box.git('alice', 'checkout', '-q', 'feature');
  expect(await push('main')).toMatchObject({ status: 0 });
  expect(await push('--delete', 'old')).toMatchObject({ status: 0 });
  expect(await onRemote()).toEqual(['main']);
});

test('a ref as it was typed may have blanks', async () => {
  expect(await push('HEAD@{1 second ago}:refs/heads/earlier')).toMatchObject({ status: 0 });
  expect(await onRemote()).toEqual(['earlier', 'main']);
});

test('input that git did not write is refused', async () => {
  const { status, stdout, stderr } = await box.run(PROGRAM, ['status', '--pre-push'], {
    cwd: 'alice',
    input: 'main\n',
  });
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toContain("cannot tell what is pushed: 'main' is not what git writes");
});
