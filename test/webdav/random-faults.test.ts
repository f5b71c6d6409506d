import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MARKER } from '../../agent/marker.ts';
import { expectSameWorktree, oidOf } from '../e2e/objects.ts';
import { CheckedObjects } from '../kill/checked-objects.ts';
import { randomNumbers } from '../random-numbers.ts';
import { Sandbox } from '../sandbox.ts';
import { startApache } from '../servers/apache.ts';
import { type FaultProxy, startFaultProxy } from '../servers/fault-proxy.ts';
import { isInstalled } from '../servers/installed.ts';
import { type DavServer, PASSWORD, USER } from '../servers/server.ts';
import { LARGEST, randomFault } from './random-fault.ts';

/** The real git-lfs, with a network that does everything wrong; and in the end with one that works. */
const FAULTS = Number(process.env.FAULTS ?? 500);
const SEED = Number(process.env.FAULT_SEED ?? Date.now() % 2 ** 31);

/** New objects of a round. */
const OBJECTS = 25;
/** How likely a request meets a fault, round by round. */
const RATES = [0.1, 0.3, 0.05, 0.2];
/** How often a command is tried before the network is let be. */
const TRIES = 3;
/** Seconds after which a command is hanging. */
const FOREVER = 120;

/** A 401 out of nothing makes git forget a password that it can forget. */
const HELPER = `!f() { [ "$1" != get ] || printf 'username=${USER}\\npassword=${PASSWORD}\\n'; }; f`;

const SETTINGS = {
  'credential.helper': HELPER,
  'lfs.activitytimeout': '1',
  'lfs.dialtimeout': '1',
  'lfs.tlstimeout': '1',
  'depot.retries': '2',
  'depot.retryPause': '10',
};

const MISSING = !isInstalled('apache');

describe.skipIf(MISSING)(`random faults${MISSING ? ': apache is not installed' : ''}`, () => {
  const random = randomNumbers(SEED);
  let server: DavServer;
  let proxy: FaultProxy;
  let box: Sandbox;
  let stored: CheckedObjects;
  let rate = 0;
  let met = 0;
  /** By the last command that failed. */
  let told = '';
  const commands = { done: 0, failed: 0 };
  /** What Alice has committed. */
  const oids = new Set<string>();

  beforeAll(async () => {
    console.log(`FAULT_SEED=${SEED} FAULTS=${FAULTS}`);
    server = await startApache();
    const fault = randomFault(random);
    proxy = await startFaultProxy(server.url, (request) => {
      if (random() >= rate) return undefined;
      met++;
      return fault(request);
    });
    box = new Sandbox();
    for (const [key, value] of Object.entries(SETTINGS)) await box.git('.', 'config', '--global', key, value);
    await box.team(`${proxy.url}/art`);
    stored = new CheckedObjects(join(server.root, 'art'));
    await box.git('alice', 'push', '-q', 'origin', 'main');
    await box.git('.', 'clone', '-q', 'remote.git', 'bob');
  });
  afterAll(async () => {
    await proxy?.stop();
    await server?.stop();
    box?.remove();
  });

  test(`${FAULTS} of them make no object wrong, no command silent, and the next one does it`, {
    timeout: 900_000,
  }, async () => {
    for (let round = 0; met < FAULTS; round++) {
      await fromBob();
      await commitObjects(round);
      rate = RATES[round % RATES.length]!;
      await Promise.all([push(), fetch(), clone()]);
      rate = 0;
      expect(await push(), told).toBe(true);
    }
    const resumed = proxy.requests.filter(({ headers, status }) => headers.range && status === 206).length;
    const left = readdirSync(join(server.root, 'art/tmp')).length;
    console.log(
      `${met} faults at ${proxy.requests.length} requests; ${commands.done} commands done, ${commands.failed} failed; ` +
        `${oids.size} objects, ${resumed} downloads gone on with, ${left} temp files left`,
    );
    expect(await fetch(), told).toBe(true);
    expect(await clone(), told).toBe(true);
  });

  async function commitObjects(round: number): Promise<void> {
    for (let number = 0; number < OBJECTS; number++) {
      const size = Math.ceil(LARGEST ** random());
      oids.add(oidOf(readFileSync(box.write(`alice/${round}-${number}.bin`, size))));
    }
    await box.git('alice', 'add', '.');
    await box.git('alice', 'commit', '-qm', `round ${round}`);
  }

  /** Bob's objects make way for a new fetch of some that he had. */
  async function fromBob(): Promise<void> {
    const objects = box.path('bob/.git/lfs/objects');
    for (const oid of new CheckedObjects(objects).check()) {
      if (random() < 0.5) rmSync(join(objects, oid.slice(0, 2), oid.slice(2, 4), oid));
    }
  }

  /** Success means that everything is there. */
  async function push(): Promise<boolean> {
    const done = await repeat('alice', 'push', '-q', 'origin', 'main');
    if (done) expect([...oids].filter((oid) => !stored.check().has(oid))).toEqual([]);
    return done;
  }

  async function fetch(): Promise<boolean> {
    await box.git('bob', 'fetch', '-q');
    const done = await repeat('bob', 'lfs', 'fetch', 'origin', 'origin/main');
    return done;
  }

  async function clone(): Promise<boolean> {
    let done = await run('.', 'carol', 'clone', '-q', 'remote.git', 'carol');
    done ||= await repeat('carol', 'lfs', 'pull');
    if (done && rate === 0) expectSameWorktree(box.path('alice'), box.path('carol'));
    rmSync(box.path('carol'), { recursive: true });
    return done;
  }

  async function repeat(clone: string, ...args: string[]): Promise<boolean> {
    for (let tries = 0; tries < TRIES; tries++) if (await run(clone, clone, ...args)) return true;
    return false;
  }

  /** Runs git. False when it failed and said why. Whatever happened, all objects are right. */
  async function run(cwd: string, clone: string, ...args: string[]): Promise<boolean> {
    const { status, stdout, stderr } = await box.run('timeout', [`${FOREVER}`, 'git', ...args], { cwd });
    const said = `git ${args.join(' ')}: ${status}\n${stdout}${stderr}`;
    expect(existsSync(join(stored.folder, MARKER)), said).toBe(true);
    stored.check();
    new CheckedObjects(box.path(clone, '.git/lfs/objects')).check();
    commands[status === 0 ? 'done' : 'failed']++;
    if (status === 0) return true;
    told = said;
    expect(status, said).not.toBe(124);
    // Bytes that were spoiled on the way git-lfs refuses, the first time in its own words.
    expect(said).toMatch(/: \[[2-9]\] \S.*: \S|downloaded file failed checks: .*has an invalid hash/);
    expect(said).not.toMatch(/\[1\]|\bEOF\b/);
    return false;
  }
});
