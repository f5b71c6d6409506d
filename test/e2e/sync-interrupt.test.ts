import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { filesBelow, PROGRAM, type Result, Sandbox } from '../sandbox.ts';
import { objectFile, oidOfFile, soundStore } from './objects.ts';
import { CAN_LOOK, sessionMembers, until } from './processes.ts';

const SIZE = 300 * 1024 * 1024;

describe.skipIf(!CAN_LOOK)('Ctrl-C during a sync', () => {
  let box: Sandbox;
  let mirror: string;
  let oid: string;
  let running: number | undefined;
  beforeEach(async () => {
    box = new Sandbox();
    await box.team();
    mirror = box.path('mirror');
    await box.depot('alice', 'mirror', 'add', mirror);
    truncateSync(box.write('alice/large.bin', 'the start'), SIZE);
    await box.push('alice');
    oid = await oidOfFile(box.path('alice/large.bin'));
  });
  afterEach(() => {
    for (const pid of running ? sessionMembers(running) : []) process.kill(pid, 'SIGKILL');
    box.remove();
  });

  /** Starts a sync, which is sent the signal as from a terminal once it is so far. */
  async function interrupted(
    whatFor: string,
    isSoFar: (stdout: string) => boolean,
    signal: NodeJS.Signals,
  ): Promise<Result> {
    const child = box.start(PROGRAM, ['sync'], { cwd: 'alice', detached: true });
    const { pid = 0 } = child;
    running = pid;
    const out: string[] = [];
    const err: string[] = [];
    child.stdout?.on('data', (chunk) => out.push(String(chunk)));
    child.stderr?.on('data', (chunk) => err.push(String(chunk)));
    const ended = new Promise<Result>((resolve) =>
      child.on('close', (status, by) => resolve({ status, signal: by, stdout: out.join(''), stderr: err.join('') })),
    );
    await until(whatFor, () => isSoFar(out.join('')));
    process.kill(-pid, signal);
    await until('every process is gone', () => sessionMembers(pid).length === 0);
    return ended;
  }

  const STOPPED = 'error: cannot finish the sync: stopped before it was finished\nhint: run the same command again\n';

  const largestIn = (folder: string): number =>
    Math.max(
      0,
      ...readdirSync(folder).map((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0),
    );

  const temp = (): string => box.path('alice/.git/lfs/tmp');

  async function expectNothingLeft(): Promise<void> {
    expect(soundStore(mirror)).toEqual([]);
    expect(filesBelow(temp()).filter((name) => name.includes('depot'))).toEqual([]);
    await box.depot('alice', 'sync');
    expect(soundStore(mirror)).toEqual([oid]);
  }

  test.each(['SIGINT', 'SIGTERM'] as const)(
    'while a mirror gets an object leaves nothing there (%s)',
    async (signal) => {
      const isSoFar = () => largestIn(join(mirror, 'tmp')) > 1024 * 1024;
      const result = await interrupted('it is on its way', isSoFar, signal);
      expect(result).toMatchObject({ status: 1, stdout: 'Nothing waits on this computer.\n', stderr: STOPPED });
      await expectNothingLeft();
    },
  );

  test('while an object is fetched for a mirror leaves nothing here', async () => {
    rmSync(objectFile(box.path('alice/.git/lfs/objects'), oid));
    const isSoFar = () => largestIn(temp()) > 1024 * 1024;
    const result = await interrupted('it is being fetched', isSoFar, 'SIGINT');
    expect(result).toMatchObject({ status: 1, stderr: STOPPED });
    await expectNothingLeft();
  });

  test('ends it even if a mirror hangs', async () => {
    // Who opens a pipe that nobody writes to waits for ever, as at a share whose server is gone.
    const pipe = join(mirror, 'lfs-depot.json');
    rmSync(pipe);
    execFileSync('mkfifo', [pipe]);
    let begun = 0;
    const isSoFar = (stdout: string): boolean => {
      if (stdout !== '' && begun === 0) begun = performance.now();
      // Nothing tells when it is at the mirror. If that takes longer, it ends all the same.
      return begun > 0 && performance.now() - begun > 1000;
    };
    expect(await interrupted('it looks at the mirror', isSoFar, 'SIGINT')).toMatchObject({ stderr: STOPPED });
  });
});
