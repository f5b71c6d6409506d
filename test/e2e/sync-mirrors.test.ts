import { appendFileSync, mkdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { filesBelow, PROGRAM, type Result, Sandbox } from '../sandbox.ts';
import { objectFile, oidOf, soundStore } from './objects.ts';
import { reportOf } from './sync-machines.ts';

/** Alice has pushed three objects to a store, and named a mirror, which has none of them yet. */
let box: Sandbox;
let store: string;
let mirror: string;
let own: string;
let oids: string[];
beforeEach(async () => {
  box = new Sandbox();
  store = await box.team();
  mirror = box.path('mirror');
  own = box.path('alice/.git/lfs/objects');
  await box.depot('alice', 'mirror', 'add', mirror);
  oids = ['a', 'b', 'c'].map((name) => oidOf(readFileSync(box.write(`alice/${name}.bin`, 1500)))).sort();
  await box.push('alice');
});
afterEach(() => box.remove());

const sync = (cwd: string, ...args: string[]): Promise<Result> => box.run(PROGRAM, ['sync', ...args], { cwd });

async function expectDone(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await sync('alice', ...args);
  expect([status, stderr]).toEqual([0, '']);
  return stdout;
}

/** It says so, and what else there was to do is done. */
async function expectProblem(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await sync('alice', ...args);
  expect([status, stderr]).toEqual([1, '']);
  return stdout;
}

const removeFrom = (folder: string, oid: string): void => rmSync(objectFile(folder, oid));
const truncateIn = (folder: string, oid: string): void => truncateSync(objectFile(folder, oid), 700);

/** Other bytes, as many of them. git-lfs makes its objects read-only. */
function damageIn(folder: string, oid: string): void {
  const file = objectFile(folder, oid);
  const bytes = readFileSync(file);
  bytes[1000] = ~bytes[1000]!;
  rmSync(file);
  writeFileSync(file, bytes);
}

/** Nothing that was on its way was left on this computer. */
function expectNoTempFiles(): void {
  expect(filesBelow(box.path('alice/.git/lfs/tmp')).filter((name) => name.includes('depot'))).toEqual([]);
}

test('a mirror gets all that it lacks, and then nothing is left to do', async () => {
  expect(await expectDone()).toBe(
    'Nothing waits on this computer.\n' +
      `Store ${store}: has all 3 objects.\n` +
      `Mirror ${mirror}: got 3 objects (4.5 KB), and has all 3 objects now.\n`,
  );
  expect(soundStore(mirror)).toEqual(oids);
  const before = filesBelow(mirror);
  expect(await expectDone()).toBe(
    `Nothing waits on this computer.\nStore ${store}: has all 3 objects.\nMirror ${mirror}: has all 3 objects.\n`,
  );
  expect(filesBelow(mirror)).toEqual(before);
});

test('the copy of this computer is the source where it is right', async () => {
  for (const oid of oids) damageIn(store, oid);
  expect(await expectDone()).toContain('has all 3 objects now');
  expect(soundStore(mirror)).toEqual(oids);
  expectNoTempFiles();
});

test.each([
  ['missing', removeFrom],
  ['truncated', truncateOwn],
  ['damaged', damageIn],
])('where the copy of this computer is %s, the store is the source', async (_, spoil) => {
  const [oid = ''] = oids;
  spoil(own, oid);
  expect(await expectDone()).toContain('has all 3 objects now');
  expect(soundStore(mirror)).toEqual(oids);
  expectNoTempFiles();
});

function truncateOwn(folder: string, oid: string): void {
  const bytes = readFileSync(objectFile(folder, oid)).subarray(0, 700);
  removeFrom(folder, oid);
  writeFileSync(objectFile(folder, oid), bytes);
}

test('the store gets from the mirror what it lost', async () => {
  await expectDone();
  for (const oid of oids.slice(0, 2)) {
    removeFrom(store, oid);
    removeFrom(own, oid);
  }
  expect(await expectDone()).toContain(
    `Store ${store}: got 2 objects (3.0 KB), and has all 3 objects now.\nMirror ${mirror}: has all 3 objects.\n`,
  );
  expect(soundStore(store)).toEqual(oids);
  expectNoTempFiles();
});

test('an object of a wrong size is healed in either place, from here or from the other', async () => {
  await expectDone();
  const [first = '', second = '', third = ''] = oids;
  truncateIn(store, first);
  appendFileSync(objectFile(mirror, second), 'and more');
  truncateIn(mirror, third);
  removeFrom(own, first);
  removeFrom(own, second);
  const { places } = reportOf(await sync('alice', '--json'));
  expect(places.map(({ brought }) => brought)).toEqual([1, 2]);
  for (const place of [store, mirror]) expect(soundStore(place)).toEqual(oids);
  expectNoTempFiles();
});

test('an object that nobody has is named, and the others are brought', async () => {
  const [lost = ''] = oids;
  removeFrom(store, lost);
  removeFrom(own, lost);
  const name = ['a', 'b', 'c'].find((file) => oidOf(readFileSync(box.path(`alice/${file}.bin`))) === lost);
  const said = await expectProblem();
  expect(said).toContain(`Store ${store}: has 2 of 3 objects.\n`);
  expect(said).toContain(`Mirror ${mirror}: got 2 objects (3.0 KB), and has 2 of 3 objects now.\n`);
  expect(said).toContain(
    '✗ no good copy of 1 object is on this computer or in any place that answers:\n' +
      `    ${lost.slice(0, 10)}     1.5 KB  ${name}.bin\n` +
      '    → whoever has the file runs: git lfs push --all origin\n',
  );
  expect(soundStore(mirror)).toEqual(oids.slice(1));
  expect(reportOf(await sync('alice', '--json')).nowhere).toEqual([lost]);
});

test('an object that is damaged wherever it is goes nowhere, and the message says who can help', async () => {
  const [bad = ''] = oids;
  damageIn(store, bad);
  removeFrom(own, bad);
  const said = await expectProblem();
  expect(said).toContain(
    `Mirror ${mirror}: got 2 objects (3.0 KB), and has 2 of 3 objects now.\n✗ cannot fetch ${bad}`,
  );
  expect(said).toContain(`    → whoever has a good copy runs: git lfs push --object-id origin ${bad}\n`);
  expect(soundStore(mirror)).toEqual(oids.slice(1));
  expectNoTempFiles();
});

test('a mirror that is away is told and left out, and the next one is served', async () => {
  const second = box.path('second');
  await box.depot('alice', 'mirror', 'add', second);
  renameSync(mirror, box.path('away'));
  const said = await expectProblem();
  expect(said).toContain(`✗ Mirror ${mirror} was left out: cannot open ${mirror}: not mounted, or not a store yet`);
  expect(said).toContain('    → connect or mount the disk or share that holds it');
  expect(said).toContain(`Mirror ${second}: got 3 objects (4.5 KB), and has all 3 objects now.\n`);
  expect(soundStore(second)).toEqual(oids);
  renameSync(box.path('away'), mirror);
  expect(await expectDone()).toContain(`Mirror ${mirror}: got 3 objects`);
});

test('a store that is away is told, and the mirrors have what they can from each other', async () => {
  const second = box.path('second');
  await expectDone();
  await box.depot('alice', 'mirror', 'add', second);
  renameSync(store, box.path('away'));
  rmSync(own, { recursive: true });
  const said = await expectProblem();
  expect(said).toContain(`✗ Store ${store} was left out: cannot open ${store}`);
  expect(soundStore(second)).toEqual(oids);
});

test('a mirror that is not trusted is told, and nothing is brought there', async () => {
  await box.depot('.', 'trust', '--remove', mirror);
  const before = filesBelow(mirror);
  const said = await expectProblem();
  expect(said).toContain(`✗ The mirror ${mirror} is not used: will not open ${mirror}: depot.mirror in .lfsdepot`);
  expect(said).toContain(`run: lfs-depot trust ${mirror}\n`);
  expect(filesBelow(mirror)).toEqual(before);
  const report = reportOf(await sync('alice', '--json'));
  expect(report.refused).toEqual([{ location: mirror, error: expect.stringContaining('will not open') }]);
});

describe('with --all', () => {
  let theirs: string;
  beforeEach(async () => {
    await box.git('.', 'init', '-q', 'other');
    await box.git('other', 'lfs', 'track', '*.bin');
    await box.depot('other', 'init', store);
    theirs = oidOf(readFileSync(box.write('other/theirs.bin', 2500)));
    await box.git('other', 'add', '.');
    await box.git('other', 'commit', '-qm', 'theirs');
    await box.git('other', 'remote', 'add', 'origin', box.path('other.git'));
    await box.git('.', 'init', '-q', '--bare', 'other.git');
    await box.git('other', 'push', '-q', 'origin', 'HEAD');
    expect(soundStore(store)).toContain(theirs);
  });

  test('what other repositories keep there is brought too, and without it is not', async () => {
    await expectDone();
    expect(soundStore(mirror)).toEqual(oids);
    expect(await expectDone('--all')).toContain(
      `Mirror ${mirror}: got 1 object (2.5 KB), and has all 4 objects now.\n`,
    );
    expect(soundStore(mirror)).toEqual(soundStore(store));
  });

  test('what only the mirror has is brought to the store', async () => {
    await expectDone('--all');
    removeFrom(store, theirs);
    expect(await expectDone('--all')).toContain(`Store ${store}: got 1 object (2.5 KB), and has all 4 objects now.\n`);
    expect(soundStore(store)).toContain(theirs);
  });

  test('what this repository needs is brought also if only this computer has it', async () => {
    await expectDone();
    const [oid = ''] = oids;
    for (const place of [store, mirror]) removeFrom(place, oid);
    await expectDone('--all');
    for (const place of [store, mirror]) expect(soundStore(place)).toContain(oid);
  });

  test.each([
    ['the store', () => store],
    ['the mirror', () => mirror],
  ])('a truncated copy in %s is healed, and not taken for the object', async (_, where) => {
    await expectDone('--all');
    truncateIn(where(), theirs);
    expect(await expectDone('--all')).toContain('got 1 object (2.5 KB)');
    for (const place of [store, mirror]) expect(soundStore(place)).toHaveLength(4);
    expectNoTempFiles();
  });

  test('a mirror that is away costs the other nothing', async () => {
    const second = box.path('second');
    await box.depot('alice', 'mirror', 'add', second);
    renameSync(mirror, box.path('away'));
    expect(await expectProblem('--all')).toContain(`✗ Mirror ${mirror} was left out`);
    expect(soundStore(second)).toEqual(soundStore(store));
  });
});

test('--json prints the figures, and nothing else', async () => {
  await box.depot('alice', 'offline', 'on');
  const waiting = oidOf(readFileSync(box.write('alice/d.bin', 2000)));
  await box.push('alice');
  const [truncated = '', lost = ''] = oids;
  mkdirSync(dirname(objectFile(mirror, truncated)), { recursive: true });
  writeFileSync(objectFile(mirror, truncated), 'a part');
  for (const folder of [own, store]) removeFrom(folder, lost);
  const result = await sync('alice', '--json');
  expect(result).toMatchObject({ status: 1, stderr: '' });
  expect(reportOf(result)).toEqual({
    deliveries: [{ location: store, delivered: 1, bytes: 2000, present: 0, failed: [], untried: 0 }],
    objects: 4,
    places: [
      { location: store, role: 'primary', brought: 0, bytes: 0, failed: [] },
      { location: mirror, role: 'mirror', brought: 3, bytes: 5000, failed: [] },
    ],
    nowhere: [lost],
    unlisted: [],
    refused: [],
  });
  expect(soundStore(mirror)).toContain(waiting);
});

describe('works where there is no plain clone:', () => {
  test('in a subfolder and in a worktree', async () => {
    mkdirSync(box.path('alice/deep/down'), { recursive: true });
    expect(await sync('alice/deep/down')).toMatchObject({ status: 0, stderr: '' });
    expect(soundStore(mirror)).toEqual(oids);
    await box.git('alice', 'worktree', 'add', '-q', '../linked');
    for (const oid of oids) removeFrom(mirror, oid);
    for (const oid of oids) removeFrom(store, oid);
    expect(await sync('linked')).toMatchObject({ status: 0, stderr: '' });
    expect(soundStore(mirror)).toEqual(oids);
    expect(soundStore(store)).toEqual(oids);
  });

  test('in a bare repository', async () => {
    expect(await sync('remote.git')).toMatchObject({ status: 0, stderr: '' });
    expect(soundStore(mirror)).toEqual(oids);
  });

  test('before the first commit', async () => {
    await box.git('.', 'init', '-q', 'new');
    await box.depot('new', 'init', store);
    await box.depot('new', 'mirror', 'add', mirror);
    const { status, stdout } = await sync('new');
    expect(status).toBe(0);
    expect(stdout).toContain(`Store ${store}: there is nothing to bring.\n`);
  });
});
