import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { expectSameWorktree } from '../e2e/objects.ts';
import { webTeam } from '../e2e/web-team.ts';
import { Sandbox } from '../sandbox.ts';
import { startFaultProxy } from '../servers/fault-proxy.ts';
import type { Fault } from '../servers/faults.ts';
import { isInstalled } from '../servers/installed.ts';
import { startNephele } from '../servers/nephele.ts';
import { startRclone } from '../servers/rclone.ts';
import { CheckedObjects } from './checked-objects.ts';
import { Killer } from './killer.ts';
import { forgetPush, PUSH, removeSome } from './pushed.ts';

/**
 * `kill -9` at random moments of pushes to servers that keep, under the name that was PUT, what came of a PUT that was cut.
 * Nothing of that is ever under the name of an object, and the next push does what is left to do.
 */
const KILLS = Number(process.env.KILLS ?? 40);
const SEED = Number(process.env.KILL_SEED ?? Date.now() % 2 ** 31);

/** After so many kills, a push is left alone, and must succeed. */
const BETWEEN_SUCCESSES = 8;

const SIZES = [8_000_000, 4_000_000, ...Array.from({ length: 6 }, (_, index) => 500 + index * 40_000)];

/** About 10 MB a second: a push is mostly bytes on their way. */
const SLOW: Fault = { kind: 'drip', of: 'request', bytes: 65_536, every: 5 };

const SERVERS = [
  { name: 'rclone', start: startRclone },
  { name: 'nephele', start: startNephele },
] as const;

describe.each(SERVERS)('a push to $name', ({ name, start }) => {
  const runs = process.platform === 'linux' && isInstalled(name);
  const reason = runs ? '' : ': not on this platform, or it is not installed';

  test.skipIf(!runs)(
    `that is killed ${KILLS} times leaves no wrong object${reason}`,
    { timeout: 600_000 },
    async () => {
      console.log(`KILL_SEED=${SEED} KILLS=${KILLS}`);
      const server = await start();
      const network = await startFaultProxy(server.url, ({ method }) => (method === 'PUT' ? SLOW : undefined));
      const box = new Sandbox();
      try {
        const killer = new Killer(box, SEED);
        // To start agents is what most of the time goes to.
        await box.git('.', 'config', '--global', 'lfs.concurrentTransfers', '4');
        await webTeam(box, `${network.url}/art`);
        for (const [index, size] of SIZES.entries()) box.write(`alice/${index}.bin`, size);
        await box.git('remote.git', 'config', 'receive.denyDeleteCurrent', 'ignore');
        await box.git('alice', 'add', '.');
        await box.git('alice', 'commit', '-qm', 'objects');
        const stored = new CheckedObjects(join(server.root, 'art'));
        await killer.measure('alice', PUSH);
        expect(stored.check().size).toBe(SIZES.length);

        await killer.repeat(KILLS, async (target, kills) => {
          await forgetPush(box);
          removeSome(stored, killer.random);
          const killed = await killer.killDuring('alice', PUSH, target);
          stored.check();
          if (kills % BETWEEN_SUCCESSES !== 0) return killed;
          await forgetPush(box);
          await box.git('alice', ...PUSH);
          expect(stored.check().size).toBe(SIZES.length);
          return killed;
        });
        console.log(`${name}: ${cutFiles(join(server.root, 'art/tmp'))} files that were cut are left in tmp`);
        await forgetPush(box);
        await box.git('alice', ...PUSH);
        await box.git('.', 'clone', '-q', 'remote.git', 'bob');
        expectSameWorktree(box.path('alice'), box.path('bob'));
      } finally {
        await network.stop();
        await server.stop();
        box.remove();
      }
    },
  );
});

/** Shorter than what they were to become. */
function cutFiles(folder: string): number {
  return readdirSync(folder).filter((name) => !SIZES.includes(statSync(join(folder, name)).size)).length;
}
