import { readdirSync, rmSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { objectFile, soundStore } from '../e2e/objects.ts';
import { KINDS, Machines, type Place, reportOf } from '../e2e/sync-machines.ts';
import { randomNumbers } from '../random-numbers.ts';
import { PROGRAM, type Sandbox } from '../sandbox.ts';
import { CheckedObjects } from './checked-objects.ts';

/**
 * `kill -9` of `lfs-depot sync` at random moments, while it brings a store and a mirror what each lacks, from this computer
 * and from the other: under no name there is ever a wrong object, and the next sync completes both.
 */
const KILLS = Number(process.env.KILLS ?? 40);
const SEED = Number(process.env.KILL_SEED ?? Date.now() % 2 ** 31);

/** After so many kills, a sync is left alone, and must succeed. */
const BETWEEN_SUCCESSES = 8;

const LARGE = [10_000_000, 20_000_000];
const SMALL = Array.from({ length: 25 }, (_, index) => 500 + index * 14_000);

const describes = process.platform === 'linux' ? describe : describe.skip;

describes.each(KINDS)('in %s', (kind) => {
  const random = randomNumbers(SEED);
  let machines: Machines;
  let alice: Sandbox;
  let places: Place[];
  let held: CheckedObjects[];
  let own: CheckedObjects;
  let oids: string[];
  beforeEach(async () => {
    console.log(`KILL_SEED=${SEED} KILLS=${KILLS}`);
    machines = await Machines.start(kind);
    ({ alice } = machines);
    const mirror = machines.place('mirror');
    await alice.depot('alice', 'mirror', 'add', mirror.location);
    places = [machines.store, mirror];
    for (const [index, size] of [...SMALL, ...LARGE].entries()) alice.write(`alice/${index}.bin`, size);
    await alice.push('alice');
    await alice.depot('alice', 'sync');
    held = places.map(({ folder }) => new CheckedObjects(folder));
    own = new CheckedObjects(alice.path('alice/.git/lfs/objects'));
    oids = [...own.check()].sort();
    expect(oids).toHaveLength(SMALL.length + LARGE.length);
  });
  afterEach(() => machines.end());

  test(`${KILLS} kills leave no wrong object, and the next sync brings the rest`, { timeout: 600_000 }, async () => {
    takeSome();
    const began = Date.now();
    await alice.depot('alice', 'sync');
    const whole = Date.now() - began;
    let kills = 0;
    for (let rounds = 0; kills < KILLS; rounds++) {
      if (rounds > 3 * KILLS + 10) throw new Error(`only ${kills} of ${rounds} rounds killed something`);
      takeSome();
      const beside = rounds % 4 === 0 ? alice.run(PROGRAM, ['sync'], { cwd: 'alice' }) : undefined;
      if (await killSync(random() * whole * 1.1)) kills++;
      if (beside) {
        expect(await beside).toMatchObject({ status: 0, stderr: '' });
        expectEqualSets();
      }
      expectNothingWrong();
      if (rounds % BETWEEN_SUCCESSES === 0) await expectCompleted();
    }
    console.log(`${kills} kills of sync`);
    await expectCompleted();
  });

  /** Each object stays in one place at least. */
  function takeSome(): void {
    const there = held.map((objects) => objects.check());
    for (const oid of oids) {
      const having = held.filter((_, index) => there[index]!.has(oid));
      const keeper = having[Math.floor(random() * having.length)];
      for (const { folder } of having) if (folder !== keeper!.folder && random() < 0.7) rmSync(objectFile(folder, oid));
    }
    // What is not here has to be fetched.
    for (const oid of own.check()) if (random() < 0.2) rmSync(objectFile(own.folder, oid));
  }

  /** Kills a sync after that many milliseconds; whether it was still running. */
  async function killSync(after: number): Promise<boolean> {
    const child = alice.start(PROGRAM, ['sync'], { cwd: 'alice', stdio: 'ignore' });
    const ended = new Promise<NodeJS.Signals | null>((resolve) => child.on('exit', (_, signal) => resolve(signal)));
    await Promise.race([sleep(after), ended]);
    child.kill('SIGKILL');
    return (await ended) === 'SIGKILL';
  }

  function expectNothingWrong(): void {
    const there = new Set([...held, own].flatMap((objects) => [...objects.check()]));
    expect([...there].sort()).toEqual(oids);
  }

  function expectEqualSets(): void {
    for (const objects of held) expect([...objects.check()].sort()).toEqual(oids);
  }

  /** What killed processes left in a place goes once it is old, with the next object that is brought. */
  async function expectCompleted(): Promise<void> {
    await alice.git('alice', 'lfs', 'fetch');
    await alice.depot('alice', 'sync');
    expectEqualSets();
    const twoDaysAgo = Date.now() / 1000 - 2 * 24 * 3600;
    const [one = ''] = oids;
    for (const { folder } of places) {
      for (const name of readdirSync(join(folder, 'tmp')))
        utimesSync(join(folder, 'tmp', name), twoDaysAgo, twoDaysAgo);
    }
    for (const { folder } of places) {
      rmSync(objectFile(folder, one));
      const { places: report } = reportOf(await alice.run(PROGRAM, ['sync', '--json'], { cwd: 'alice' }));
      expect(report.map(({ brought }) => brought).sort()).toEqual([0, 1]);
      expect(soundStore(folder)).toEqual(oids);
    }
  }
});
