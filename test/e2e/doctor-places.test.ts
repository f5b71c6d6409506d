import { existsSync, readFileSync, renameSync, symlinkSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PROGRAM, Sandbox } from '../sandbox.ts';
import { objectFile, oidOf, soundStore } from './objects.ts';

let box: Sandbox;
let store: string;
beforeEach(async () => {
  box = new Sandbox();
  store = await box.team();
  await box.depot('alice', 'mirror', 'add', box.path('mirror'));
});
afterEach(() => box.remove());

async function doctor(): Promise<{ status: number | null; wrong: string[]; stdout: string }> {
  const { status, stdout } = await box.run(PROGRAM, ['doctor'], { cwd: 'alice' });
  return { status, wrong: stdout.split('\n').filter((line) => line.startsWith('✗')), stdout };
}

test('a mirror is tried as the store is, and .lfsdepot must be committed', async () => {
  const before = await doctor();
  expect(before.wrong).toEqual(['✗ .lfsdepot: has changes that are not committed: clones do not have them']);
  expect(before.stdout).toContain('→ git add .lfsdepot');
  await box.push('alice');
  const { status, stdout } = await doctor();
  expect(status).toBe(0);
  expect(stdout).toContain(`✓ mirror: ${box.path('mirror')}, id `);
  expect(stdout).toContain('✓ offline: nothing waits on this computer');
  expect(stdout).not.toContain('cache');
});

test('a mirror that is away, and one that is not trusted, are told with what to do', async () => {
  await box.push('alice');
  renameSync(box.path('mirror'), box.path('elsewhere'));
  const away = await doctor();
  expect(away.status).toBe(1);
  expect(away.wrong).toEqual([expect.stringContaining(`✗ mirror: cannot open ${box.path('mirror')}: not mounted`)]);
  renameSync(box.path('elsewhere'), box.path('mirror'));
  await box.depot('alice', 'trust', '--remove', box.path('mirror'));
  const { wrong, stdout } = await doctor();
  expect(wrong).toEqual([expect.stringMatching(/^✗ mirror: .*mirror is not used: .*not allowed that location yet$/)]);
  expect(stdout).toContain(`lfs-depot trust ${box.path('mirror')}`);
});

test('what waits on this computer, and offline mode, are told', async () => {
  await box.push('alice');
  await box.depot('alice', 'offline', 'on');
  expect((await doctor()).wrong).toEqual(['✗ offline: offline mode is on: what you push stays on this computer']);
  box.write('alice/a.bin', 1000);
  await box.push('alice');
  expect((await doctor()).wrong).toEqual([`✗ offline: objects wait on this computer for ${store}`]);
  await box.depot('alice', 'offline', 'off');
  await box.depot('alice', 'sync');
  expect((await doctor()).wrong).toEqual([]);
});

test('a cache is told, and a folder that is something else is refused', async () => {
  await box.push('alice');
  await box.git('alice', 'config', 'depot.cache', box.path('cache'));
  expect((await doctor()).stdout).toContain(`✓ cache: ${box.path('cache')}, up to 21 GB; empty yet`);
  box.write('cache/notes.txt', 'mine');
  const { wrong, stdout } = await doctor();
  expect(wrong).toEqual([expect.stringContaining(`✗ cache: cannot use `)]);
  expect(stdout).toMatch(/✗ cache: .*\n {4}→ /);
  await box.git('alice', 'config', 'depot.cache', 'relative');
  expect((await doctor()).wrong).toEqual([expect.stringContaining('✗ cache: cannot use depot.cache')]);
});

test('settings that cannot be used are told, each by itself, and the store is looked at all the same', async () => {
  await box.git('alice', 'config', '--file', '.lfsdepot', 'depot.quorum', 'most');
  await box.push('alice');
  await box.git('alice', 'config', 'depot.offline', 'maybe');
  await box.git('alice', 'config', 'depot.cache', box.path('cache'));
  await box.git('alice', 'config', 'depot.cacheSize', 'huge');
  const wrong = [
    "✗ offline: cannot use depot.offline: 'maybe' is neither true, false nor auto",
    expect.stringContaining("✗ cache: cannot use depot.cacheSize: 'huge' is not "),
    expect.stringContaining("✗ mirror: cannot use depot.quorum: 'most' is not "),
  ];
  const said = await doctor();
  expect([said.status, said.wrong]).toEqual([1, wrong]);
  expect(said.stdout).toContain('✓ writing and reading: an object was stored, read back and removed');
  expect(said.stdout).toContain(`✓ mirror: ${box.path('mirror')}, id `);
  const { status, stdout, stderr } = await box.run(PROGRAM, ['doctor', '--json'], { cwd: 'alice' });
  const report = JSON.parse(stdout);
  expect([status, stderr, report.ok]).toEqual([1, '', false]);
  const subjects = report.findings.filter(({ ok }: { ok: boolean }) => !ok);
  expect(subjects.map(({ subject }: { subject: string }) => subject)).toEqual(['offline', 'cache', 'mirror']);

  // The hint of each mends what it is about.
  const hint = /git config --file \.lfsdepot \S+ depot\.quorum/.exec(said.stdout)?.[0];
  expect(await box.sh('alice', hint ?? 'echo no hint')).toContain('most');
});

test('a mirror that is the store by another name is told, and no push counts it as a copy', async () => {
  const twin = box.path('twin');
  symlinkSync(store, twin);
  for (const [key, value] of [
    ['depot.mirror', twin],
    ['depot.quorum', '2'],
  ]) {
    await box.git('alice', 'config', '--file', '.lfsdepot', '--replace-all', key!, value!);
  }
  await box.depot('alice', 'trust', '--mirrors');
  await box.git('alice', 'add', '.');
  await box.git('alice', 'commit', '-qm', 'twin');
  const { status, wrong, stdout } = await doctor();
  expect([status, wrong]).toEqual([
    1,
    [`✗ mirror: ${twin} is the same store as ${store}, by another name: it is no second copy`],
  ]);
  box.write('alice/a.bin', 1000);
  await expect(box.push('alice')).rejects.toThrow('some of the places are one store by two names');
  const [, cure = 'no cure'] = /→ (lfs-depot mirror remove .*)/.exec(stdout) ?? [];
  await box.sh('alice', `${cure} && git config --file .lfsdepot --unset depot.quorum`);
  await box.push('alice');
  expect((await doctor()).wrong).toEqual([]);
  expect(soundStore(store)).toHaveLength(1);
});

test('the only remote is found whatever its name, by doctor and by sync', async () => {
  await box.depot('.', 'install', '--file-remotes');
  await box.git('.', 'init', '-q', '--bare', 'shared.git');
  await box.git('.', 'clone', '-q', '-o', 'upstream', 'shared.git', 'bob');
  await box.git('bob', 'lfs', 'track', '*.bin');
  await box.git('bob', 'config', 'depot.offline', 'true');
  const oid = oidOf(readFileSync(box.write('bob/a.bin', 1500)));
  await box.git('bob', 'add', '.');
  await box.git('bob', 'commit', '-qm', 'a');
  await box.git('bob', 'push', '-q', 'upstream', 'HEAD');
  await box.git('bob', 'config', '--unset', 'depot.offline');
  const object = objectFile(box.path('shared.git/lfs/objects'), oid);
  expect(existsSync(object)).toBe(false);

  const before = await box.run(PROGRAM, ['doctor'], { cwd: 'bob' });
  expect([before.status, before.stdout.match(/^✗.*$/gm)]).toEqual([
    1,
    [`✗ offline: objects wait on this computer for ${box.path('shared.git')}`],
  ]);
  expect(await box.depot('bob', 'sync')).toBe(`Delivered to ${box.path('shared.git')}: 1 object (1.5 KB).\n`);
  expect(oidOf(readFileSync(object))).toBe(oid);
  expect(await box.depot('bob', 'sync')).toBe('Nothing waits on this computer.\n');
  expect(await box.depot('bob', 'doctor')).toContain('\nAll is well.\n');
});
