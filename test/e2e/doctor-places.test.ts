import { renameSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PROGRAM, Sandbox } from '../sandbox.ts';

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
