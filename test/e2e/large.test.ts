import { closeSync, openSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Sandbox } from '../sandbox.ts';
import { objectFile, oidOfFile } from './objects.ts';
import { agentsOf, CAN_LOOK, peakMemory } from './processes.ts';

/** Past the 4 GiB that 32 bits can count. */
const SIZE = 4 * 1024 ** 3 + 12_345;
const MOST_MEMORY = 120 * 1024 * 1024;
const PATIENCE = 15 * 60 * 1000;

describe.skipIf(!CAN_LOOK)('an object over 4 GiB', () => {
  let box: Sandbox;
  let store: string;
  let oid: string;
  beforeAll(async () => {
    // Where large files may lie; /tmp is often memory.
    box = new Sandbox('/var/tmp');
    store = await box.team();
    const file = box.write('alice/large.bin', '');
    truncateSync(file, SIZE);
    const fd = openSync(file, 'r+');
    for (const position of [0, 2 ** 31, 2 ** 32 - 3, SIZE - 7]) writeSync(fd, 'content', position);
    closeSync(fd);
    await box.git('alice', 'add', '.');
    await box.git('alice', 'commit', '-qm', 'large');
    oid = /oid sha256:(\w+)/.exec(await box.git('alice', 'show', 'HEAD:large.bin'))?.[1] ?? 'none';
  }, PATIENCE);
  afterAll(() => box.remove());

  /** Runs git to its end, and gives the most memory that one of its agents held. */
  async function peakOf(cwd: string, ...args: string[]): Promise<number> {
    const child = box.start('git', args, { cwd, detached: true, stdio: ['ignore', 'ignore', 'inherit'] });
    let peak = 0;
    const look = setInterval(() => {
      for (const pid of agentsOf(child.pid!)) peak = Math.max(peak, peakMemory(pid));
    }, 20);
    const status = await new Promise((resolve) => child.on('close', resolve));
    clearInterval(look);
    expect(status).toBe(0);
    return peak;
  }

  test('is pushed, in little memory', { timeout: PATIENCE }, async () => {
    const peak = await peakOf('alice', 'push', '-q', 'origin', 'HEAD');
    console.log(`up: ${(peak / 1024 ** 2).toFixed(0)} MiB`);
    expect(peak).toBeGreaterThan(0);
    expect(peak).toBeLessThan(MOST_MEMORY);
    expect(statSync(objectFile(store, oid)).size).toBe(SIZE);
    expect(await oidOfFile(objectFile(store, oid))).toBe(oid);
    rmSync(box.path('alice'), { recursive: true });
  });

  test('is cloned, in little memory', { timeout: PATIENCE }, async () => {
    const peak = await peakOf('.', 'clone', '-q', 'remote.git', 'bob');
    console.log(`down: ${(peak / 1024 ** 2).toFixed(0)} MiB`);
    expect(peak).toBeGreaterThan(0);
    expect(peak).toBeLessThan(MOST_MEMORY);
    expect(statSync(box.path('bob/large.bin')).size).toBe(SIZE);
    expect(await oidOfFile(box.path('bob/large.bin'))).toBe(oid);
  });
});
