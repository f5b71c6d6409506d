import { existsSync, readdirSync, rmSync, statSync, truncateSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { filesBelow, Sandbox } from '../sandbox.ts';
import { oidOfFile, soundObjects, soundStore } from './objects.ts';
import { agentsOf, CAN_LOOK, membersRunning, sessionMembers, until } from './processes.ts';

const SIZE = 300 * 1024 * 1024;

describe.skipIf(!CAN_LOOK)('while a large object moves', () => {
  let box: Sandbox;
  let store: string;
  let running: number[];
  beforeEach(async () => {
    box = new Sandbox();
    running = [];
    store = await box.team();
    truncateSync(box.write('alice/large.bin', 'the start'), SIZE);
    await box.git('alice', 'add', '.');
    await box.git('alice', 'commit', '-qm', 'large');
  });
  afterEach(() => {
    for (const pid of running.flatMap(sessionMembers)) process.kill(pid, 'SIGKILL');
    box.remove();
  });

  /** Starts a command in a session of its own, and waits until a temp file in this folder grows. */
  async function startAndCatch(clone: string, command: string[], folder: string): Promise<number> {
    const child = box.start('git', command, { cwd: clone, detached: true, stdio: 'ignore' });
    const pid = child.pid!;
    running.push(pid);
    await until('bytes are on their way', () => bytesIn(folder) > 1024 * 1024);
    return pid;
  }

  function bytesIn(folder: string): number {
    if (!existsSync(folder)) return 0;
    const sizes = readdirSync(folder).map((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0);
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  const gone = (leader: number): Promise<void> => until('all is gone', () => sessionMembers(leader).length === 0);
  const startPush = (): Promise<number> => startAndCatch('alice', ['push', '-q', 'origin', 'HEAD'], join(store, 'tmp'));

  async function expectNothingButWorks(): Promise<void> {
    expect(filesBelow(store)).toEqual(['lfs-depot.json']);
    await box.git('alice', 'push', '-q', 'origin', 'HEAD');
    expect(soundStore(store)).toEqual([await oidOfFile(box.path('alice/large.bin'))]);
  }

  test('Ctrl-C in a push ends every process and leaves nothing, and the next push works', async () => {
    const push = await startPush();
    process.kill(-push, 'SIGINT');
    await gone(push);
    await expectNothingButWorks();
  });

  test('a git-lfs that is killed in a push takes its agents along and leaves nothing', async () => {
    const push = await startPush();
    for (const pid of membersRunning(push, (file) => file.endsWith('/git-lfs'))) process.kill(pid, 'SIGKILL');
    await gone(push);
    await expectNothingButWorks();
  });

  test('an agent that is killed in a push leaves no object, and its temp file goes with a push two days later', async () => {
    const push = await startPush();
    for (const pid of agentsOf(push)) process.kill(pid, 'SIGKILL');
    await gone(push);
    expect(filesBelow(store).filter((path) => !path.startsWith('tmp/'))).toEqual(['lfs-depot.json']);
    const [left = 'nothing', ...others] = readdirSync(join(store, 'tmp'));
    expect(others).toEqual([]);

    await box.git('alice', 'push', '-q', 'origin', 'HEAD');
    // Somebody else may still be writing it: it is left alone while it is young.
    expect(readdirSync(join(store, 'tmp'))).toEqual([left]);
    const twoDaysAgo = Date.now() / 1000 - 2 * 24 * 60 * 60;
    utimesSync(join(store, 'tmp', left), twoDaysAgo, twoDaysAgo);
    box.write('alice/small.bin', 500);
    await box.push('alice');
    expect(soundStore(store)).toHaveLength(2);
  });

  test('Ctrl-C in a fetch ends every process and leaves nothing, and the next fetch works', async () => {
    await box.git('alice', 'push', '-q', 'origin', 'HEAD');
    await box.ok('git', ['clone', '-q', 'remote.git', 'bob'], { env: { GIT_LFS_SKIP_SMUDGE: '1' } });
    const temp = box.path('bob/.git/lfs/tmp');
    const fetch = await startAndCatch('bob', ['lfs', 'fetch'], temp);
    process.kill(-fetch, 'SIGINT');
    await gone(fetch);
    expect(readdirSync(temp)).toEqual([]);
    expect(soundObjects(box.path('bob/.git/lfs/objects'))).toEqual([]);
    rmSync(box.path('alice'), { recursive: true });
    await box.git('bob', 'lfs', 'pull');
    expect(statSync(box.path('bob/large.bin')).size).toBe(SIZE);
  });
});
