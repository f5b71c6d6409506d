import { existsSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { filesBelow, Sandbox } from '../sandbox.ts';
import { expectSameWorktree, soundStore } from './objects.ts';
import { agentsOf, CAN_LOOK, membersRunning, sessionMembers, until } from './processes.ts';

/** One process serves all workers of a git-lfs: agent/hub/. */
let box: Sandbox;
beforeEach(() => {
  box = new Sandbox();
});
afterEach(() => box.remove());

/** A team whose clone `alice` has so many objects to push, each of `size` bytes. */
async function teamWith(count: number, size: number): Promise<string> {
  const store = await box.team();
  for (let number = 0; number < count; number++) box.write(`alice/${number}.bin`, size + number);
  await box.git('alice', 'add', '.');
  await box.git('alice', 'commit', '-qm', 'objects');
  return store;
}

function objectsIn(store: string): number {
  return filesBelow(store).filter((path) => /^[0-9a-f]{2}\//.test(path)).length;
}

/** Bytes of an object of which 200 take so long that a push is still under way when it is looked at. */
const LONG = 500_000;

/** What meets in a clone's lfs/tmp. */
function meetings(clone: string): string[] {
  return filesBelow(box.path(clone, '.git')).filter((path) => path.includes('depot-hub-'));
}

describe.runIf(CAN_LOOK)('on Linux', () => {
  test('a push and a clone of many objects run one agent each, and leave nothing behind', async () => {
    const store = await teamWith(300, 20_000);
    for (const args of [
      ['-C', 'alice', 'push', '-q', 'origin', 'main'],
      ['clone', '-q', 'remote.git', 'bob'],
    ]) {
      const seen = new Set<number>();
      const child = box.start('git', args, { detached: true, stdio: 'ignore' });
      const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
      let over = false;
      void ended.then(() => {
        over = true;
      });
      await until('it is over', () => {
        for (const pid of agentsOf(child.pid!)) seen.add(pid);
        return over;
      });
      expect(await ended).toBe(0);
      expect(seen.size).toBe(1);
    }
    expect(soundStore(store)).toHaveLength(300);
    expectSameWorktree(box.path('alice'), box.path('bob'));
    expect([...meetings('alice'), ...meetings('bob')]).toEqual([]);
  });

  test('Ctrl-C leaves nothing of it, at whatever moment', async () => {
    await teamWith(200, 20_000);
    for (let moment = 20; moment <= 240; moment += 20) {
      const child = box.start('git', ['-C', 'alice', 'push', '-q', 'origin', 'main'], {
        detached: true,
        stdio: 'ignore',
      });
      await sleep(moment);
      process.kill(-child.pid!, 'SIGINT');
      await until('nobody is left', () => sessionMembers(child.pid!).length === 0);
      expect(meetings('alice'), `after ${moment} ms`).toEqual([]);
    }
  });

  test('what earlier ones left is removed when it is a day old', async () => {
    await teamWith(2, 20_000);
    const [old, young] = ['depot-hub-4000001-1', 'depot-hub-4000002-1.4000003'].map((name) =>
      box.path('alice', '.git', name),
    );
    for (const file of [old!, young!]) writeFileSync(file, '4000001\n');
    const before = Date.now() / 1000 - 25 * 3600;
    utimesSync(old!, before, before);
    await box.git('alice', 'push', '-q', 'origin', 'main');
    expect([existsSync(old!), existsSync(young!)]).toEqual([false, true]);
  });

  test('when it is killed amid a push, git-lfs says so for each object, ends, and the next push brings all', async () => {
    const store = await teamWith(200, LONG);
    const child = box.start('git', ['-C', 'alice', 'push', '-q', 'origin', 'main'], {
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let words = '';
    child.stderr!.on('data', (chunk) => {
      words += chunk;
    });
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    await until('something is stored', () => objectsIn(store) > 3);
    for (const pid of agentsOf(child.pid!)) process.kill(pid, 'SIGKILL');
    expect(await ended).not.toBe(0);
    expect(words).toContain('EOF');
    await until('nobody is left', () => sessionMembers(child.pid!).length === 0);

    await box.git('alice', 'push', '-q', 'origin', 'main');
    expect(objectsIn(store)).toBe(200);
    await box.git('.', 'clone', '-q', 'remote.git', 'bob');
    expectSameWorktree(box.path('alice'), box.path('bob'));
  });

  test('when git-lfs is killed, it ends, and nothing half stands in the store', async () => {
    const store = await teamWith(200, LONG);
    const child = box.start('git', ['-C', 'alice', 'lfs', 'push', 'origin', 'main'], {
      detached: true,
      stdio: 'ignore',
    });
    const ended = new Promise((resolve) => child.on('close', resolve));
    await until('something is stored', () => objectsIn(store) > 3);
    for (const pid of membersRunning(child.pid!, (executable) => /\/git-lfs$/.test(executable)))
      process.kill(pid, 'SIGKILL');
    await ended;
    await until('nobody is left', () => sessionMembers(child.pid!).length === 0);
    expect(soundStore(store).length).toBeLessThan(200);
    expect(meetings('alice')).toEqual([]);
  });

  test('where it cannot run, each object says so once, and no worker waits', async () => {
    await teamWith(20, 1000);
    const broken = box.path('broken');
    writeFileSync(broken, '#!/bin/sh\nexit 3\n', { mode: 0o755 });
    const args = (await box.git('.', 'config', '--global', 'lfs.customtransfer.depot.args')).trim();
    const program = /exec '([^']+)' agent/.exec(args)![1]!;
    await box.git('.', 'config', '--global', 'lfs.customtransfer.depot.args', args.replaceAll(program, broken));
    const { status, stderr } = await box.run('git', ['push', '-q', 'origin', 'main'], { cwd: 'alice' });
    expect(status).not.toBe(0);
    expect(stderr).toContain('EOF');
    expect(meetings('alice')).toHaveLength(1);
  });

  test('in a linked worktree the workers meet, too', async () => {
    const store = await teamWith(30, 1000);
    await box.git('alice', 'worktree', 'add', '-q', '../linked');
    await box.git('linked', 'lfs', 'push', '--all', 'origin');
    expect(soundStore(store)).toHaveLength(30);
    expect(existsSync(box.path('alice/.git/worktrees/linked/lfs'))).toBe(false);
    expect(meetings('alice')).toEqual([]);
  });

  test('what another process wrote there makes nobody its worker', async () => {
    const store = await teamWith(5, 1000);
    const other = box.start('sleep', ['60'], { stdio: 'pipe' });
    const wrapper = box.path('wrapper');
    // Says that `other` is a worker, too, as soon as there is a meeting.
    writeFileSync(
      wrapper,
      `#!/bin/sh\nfor f in .git/lfs/tmp/depot-hub-*; do case $f in *.*.*) continue;; esac; echo ${other.pid} >>"$f"; echo '{}' >"$f.${other.pid}"; done\nexec "$REAL" "$@"\n`,
      { mode: 0o755 },
    );
    const args = (await box.git('.', 'config', '--global', 'lfs.customtransfer.depot.args')).trim();
    const program = /exec '([^']+)' agent/.exec(args)![1]!;
    await box.git('.', 'config', '--global', 'lfs.customtransfer.depot.args', args.replaceAll(program, wrapper));
    try {
      await box.ok('git', ['push', '-q', 'origin', 'main'], { cwd: 'alice', env: { REAL: program } });
      expect(soundStore(store)).toHaveLength(5);
      expect(readFileSync(`/proc/${other.pid}/stat`, 'utf8')).toContain('sleep');
    } finally {
      other.kill('SIGKILL');
    }
  });
});
