import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { filesBelow, type Result, Sandbox } from '../sandbox.ts';
import { startApache } from '../servers/apache.ts';
import { isInstalled } from '../servers/installed.ts';
import type { DavServer } from '../servers/server.ts';
import { expectSameWorktree, objectFile, oidOf, soundObjects, soundStore } from './objects.ts';
import { until } from './processes.ts';
import { IS_ROOT } from './user.ts';
import { webTeam } from './web-team.ts';

// Storage that goes away while git-lfs is at it, and comes back.

let box: Sandbox;
beforeEach(() => {
  box = new Sandbox();
});
afterEach(() => box.remove());

/** What is told under GIT_TRACE of repetitions: which attempt failed, of how many, and what it was. */
function repetitions(stderr: string) {
  const lines = stderr.matchAll(/lfs-depot: attempt (\d+) of (\d+) failed, and is repeated: ([^\n]*)/g);
  return [...lines].map(([, attempt, tries, failure = '']) => ({
    attempt: Number(attempt),
    tries: Number(tries),
    failure,
  }));
}

async function settings(given: Record<string, string>): Promise<void> {
  for (const [key, value] of Object.entries(given)) await box.git('.', 'config', '--global', key, value);
}

/** Runs git with its trace; `meddle` does its work meanwhile, and sees what has been said so far. */
async function gitWhile(cwd: string, args: string[], meddle: (said: () => string) => Promise<void>): Promise<Result> {
  const child = box.start('git', args, { cwd, env: { GIT_TRACE: '1' }, stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  const ended = once(child, 'close');
  try {
    await meddle(() => stderr);
  } finally {
    await ended;
  }
  return { status: child.exitCode, signal: child.signalCode, stdout: '', stderr };
}

const MISSING = !isInstalled('apache');
const COUNT = 30;
const SIZE = 2_000_000;

describe.skipIf(MISSING)(`a server that is killed in the middle${MISSING ? ': apache is not installed' : ''}`, () => {
  let server: DavServer;
  let stored: string;
  beforeEach(async () => {
    server = await startApache();
    stored = join(server.root, 'art');
    await webTeam(box, `${server.url}/art`);
    for (let index = 0; index < COUNT; index++) box.write(`alice/${index}.bin`, SIZE);
    await box.git('alice', 'add', '.');
    await box.git('alice', 'commit', '-qm', 'many');
    // One agent, which has been there before: others would find a server that has never answered, and not wait for long.
    await settings({ 'lfs.concurrenttransfers': '1' });
  });
  afterEach(() => server?.stop());

  const objectsIn = (folder: string): number => filesBelow(folder).filter((path) => /[0-9a-f]{64}$/.test(path)).length;

  /** Kills the server once the first object is there, and starts it again once somebody has waited for it. */
  async function outage(first: () => boolean, said: () => string): Promise<void> {
    await until('the first object has arrived', first);
    await server.kill();
    await until('something is repeated', () => repetitions(said()).length >= 2);
    await server.restart();
  }

  function expectRepetitions(stderr: string, tries: number): void {
    const lines = repetitions(stderr);
    expect(lines.length).toBeGreaterThanOrEqual(2);
    let before = 0;
    for (const { attempt, tries: told, failure } of lines) {
      expect(told).toBe(tries);
      expect([1, before + 1]).toContain(attempt);
      expect(failure).toMatch(/^cannot \S.*: \S/);
      before = attempt;
    }
  }

  test('of a push: it goes on, every byte is right, and each repetition is one line of the trace', async () => {
    await settings({ 'depot.retries': '40', 'depot.retryPause': '50' });
    const push = await gitWhile('alice', ['push', '-q', 'origin', 'HEAD'], (said) =>
      outage(() => objectsIn(stored) > 0, said),
    );
    expect(push.status, push.stderr).toBe(0);
    expectRepetitions(push.stderr, 41);
    // A killed Apache leaves the temp file of its last request, for a sweep to come.
    for (const path of filesBelow(join(stored, 'tmp'))) expect(path).not.toMatch(/^[0-9a-f]{64}$/);
    expect(objectsIn(stored)).toBe(COUNT);
    await box.git('.', 'clone', '-q', 'remote.git', 'bob');
    expectSameWorktree(box.path('alice'), box.path('bob'));
  });

  test('of a fetch: it goes on, and every byte is right', async () => {
    await box.git('alice', 'push', '-q', 'origin', 'HEAD');
    expect(soundStore(stored)).toHaveLength(COUNT);
    await settings({ 'depot.retries': '40', 'depot.retryPause': '50' });
    await box.ok('git', ['clone', '-q', 'remote.git', 'bob'], { env: { GIT_LFS_SKIP_SMUDGE: '1' } });
    const objects = box.path('bob/.git/lfs/objects');
    const pull = await gitWhile('bob', ['lfs', 'pull'], (said) => outage(() => objectsThere(objects) > 0, said));
    expect(pull.status, pull.stderr).toBe(0);
    expectRepetitions(pull.stderr, 41);
    expect(soundObjects(objects)).toHaveLength(COUNT);
    expectSameWorktree(box.path('alice'), box.path('bob'));
  });

  test('and does not come back: each object is said to be missing, and only the first is waited for', async () => {
    await settings({ 'depot.retries': '3', 'depot.retryPause': '20' });
    const push = await gitWhile('alice', ['push', '-q', 'origin', 'HEAD'], async () => {
      await until('the first object has arrived', () => objectsIn(stored) > 0);
      await server.kill();
    });
    expect(push.status).not.toBe(0);
    expect(push.stderr).toContain('[3] cannot look at ');
    expect(push.stderr).toContain('ECONNREFUSED');
    // A few kinds of requests may be under way when it happens; for 29 objects it would be 87 and more.
    expect(repetitions(push.stderr).length).toBeLessThanOrEqual(3 * 4);

    await server.restart();
    await box.git('alice', 'push', '-q', 'origin', 'HEAD');
    expect(objectsIn(stored)).toBe(COUNT);
    await box.git('.', 'clone', '-q', 'remote.git', 'bob');
    expectSameWorktree(box.path('alice'), box.path('bob'));
  });

  test('is not waited for at all where depot.retryTimeout is 0', async () => {
    await settings({ 'depot.retryTimeout': '0' });
    const push = await gitWhile('alice', ['push', '-q', 'origin', 'HEAD'], async () => {
      await until('the first object has arrived', () => objectsIn(stored) > 0);
      await server.kill();
    });
    expect(push.status).not.toBe(0);
    expect(push.stderr).toContain('[3] cannot look at ');
    expect(repetitions(push.stderr)).toEqual([]);
  });
});

/** 0 also while there is no folder yet. */
function objectsThere(folder: string): number {
  try {
    return filesBelow(folder).length;
  } catch {
    return 0;
  }
}

/** A file on which something is mounted cannot be replaced (EBUSY), as one that somebody holds open on a share. */
describe.skipIf(!IS_ROOT)('a damaged object in a folder that something holds', () => {
  let held: string;
  let oid: string;
  let good: Buffer;
  beforeEach(async () => {
    const store = await box.team();
    good = readFileSync(box.write('alice/a.bin', 5000));
    oid = oidOf(good);
    await box.push('alice');
    held = objectFile(store, oid);
    writeFileSync(held, Buffer.alloc(5000));
    execFileSync('mount', ['--bind', held, held]);
  });
  afterEach(() => release());

  function release(): void {
    try {
      execFileSync('umount', [held], { stdio: 'ignore' });
    } catch {
      // Released already.
    }
  }

  const PUSH = (): string[] => ['lfs', 'push', '--object-id', 'origin', oid];

  test('is healed once it is let go', async () => {
    await settings({ 'depot.retries': '60', 'depot.retryPause': '20' });
    const push = await gitWhile('alice', PUSH(), async (said) => {
      await until('it is tried again', () => repetitions(said()).length >= 2);
      release();
    });
    expect(push.status, push.stderr).toBe(0);
    const lines = repetitions(push.stderr);
    expect(lines.map(({ attempt }) => attempt)).toEqual(lines.map((_, index) => index + 1));
    expect(lines[0]).toMatchObject({ tries: 61, failure: expect.stringMatching(/^cannot store .*\(EBUSY\)$/) });
    expect(readFileSync(held).equals(good)).toBe(true);
    expect(soundStore(box.path('store'))).toEqual([oid]);
  });

  test.each(['0', '2'])('and not let go is told after %s repetitions', async (count) => {
    await settings({ 'depot.retries': count, 'depot.retryPause': '10' });
    const push = await gitWhile('alice', PUSH(), async () => {});
    expect(push.status).not.toBe(0);
    expect(push.stderr).toMatch(/\[8\] cannot store .*\(EBUSY\)\nhint: another program holds the file open/);
    expect(repetitions(push.stderr)).toHaveLength(Number(count));
    release();
    expect(readFileSync(held).equals(Buffer.alloc(5000))).toBe(true);
  });
});

test('a setting that cannot be used is said, and nothing is tried', async () => {
  await box.team();
  box.write('alice/a.bin', 500);
  await box.git('alice', 'add', '.');
  await box.git('alice', 'commit', '-qm', 'a');
  await settings({ 'depot.retryTimeout': 'never' });
  const push = await box.run('git', ['push', '-q', 'origin', 'HEAD'], { cwd: 'alice' });
  expect(push.status).not.toBe(0);
  expect(push.stderr).toMatch(/\[2\] cannot use depot\.retryTimeout: 'never' is not a whole number from 0 to 86400/);
  expect(soundStore(box.path('store'))).toEqual([]);
});
