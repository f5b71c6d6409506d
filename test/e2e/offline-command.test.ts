import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PROGRAM, Sandbox } from '../sandbox.ts';

let box: Sandbox;
beforeEach(async () => {
  box = new Sandbox();
  await box.git('.', 'init', '-q', 'clone');
});
afterEach(() => box.remove());

const setting = async (...scope: string[]): Promise<string> =>
  (await box.run('git', ['config', ...scope, 'depot.offline'], { cwd: 'clone' })).stdout.trim();

test('offline shows the mode, who says so, and what waits', async () => {
  expect(await box.depot('clone', 'offline')).toBe(
    'Offline mode: off (the default)\n' +
      '  pushes bring large files to the store, and fail without it.\n' +
      'Nothing waits on this computer.\n',
  );
  await box.git('clone', 'config', '--global', 'depot.offline', 'auto');
  expect(await box.depot('clone', 'offline')).toContain('Offline mode: auto (global git config)\n');
  await box.git('clone', 'config', 'depot.offline', 'yes');
  expect(await box.depot('clone', 'offline')).toContain('Offline mode: on (local git config)\n');
});

test('offline on, auto and off are settings of the clone, and say what follows', async () => {
  for (const [mode, value] of [
    ['on', 'true'],
    ['auto', 'auto'],
  ]) {
    const told = await box.depot('clone', 'offline', mode!);
    expect(told).toContain(`Offline mode in this clone: ${mode}\n`);
    expect(told).toContain("git's own push goes out before those files do: clones of colleagues lack them until");
    expect(told).toContain('lfs-depot sync');
    expect(await setting('--local')).toBe(value);
  }
  const told = await box.depot('clone', 'offline', 'off');
  expect(told).toContain('From now on, pushes bring large files to the store, and fail without it.');
  expect(told).not.toContain("git's own push");
  expect(await setting('--local')).toBe('false');
  expect(await setting('--global')).toBe('');
});

test('offline --global is for all clones, needs none, and says where it does not count', async () => {
  const told = await box.depot('.', 'offline', 'auto', '--global');
  expect(told).toContain('Offline mode in all your clones: auto\n');
  expect(told).not.toContain('wait');
  expect(await setting('--global')).toBe('auto');
  await box.depot('clone', 'offline', 'off');
  const overruled = await box.depot('clone', 'offline', 'on', '--global');
  expect(overruled).toContain("warning: here it stays at 'false', as local git config says");
  expect(await setting()).toBe('false');
});

test('outside of a clone the mode can be shown, and not set', async () => {
  expect(await box.depot('.', 'offline')).toBe(
    'Offline mode: off (the default)\n  pushes bring large files to the store, and fail without it.\n',
  );
  const before = readFileSync(box.path('home/.gitconfig'), 'utf8');
  const { status, stderr } = await box.run(PROGRAM, ['offline', 'on']);
  expect(status).toBe(1);
  expect(stderr).toContain('error: cannot set the offline mode at ');
  expect(stderr).toContain('hint: change into a clone, or set it for all your clones: lfs-depot offline on --global');
  expect(readFileSync(box.path('home/.gitconfig'), 'utf8')).toBe(before);
});

test('another mode is wrong usage; another value in git config is told with how to mend it', async () => {
  const { status, stderr } = await box.run(PROGRAM, ['offline', 'sometimes'], { cwd: 'clone' });
  expect({ status, stderr }).toMatchObject({ status: 2, stderr: expect.stringContaining('on, off, auto') });
  await box.git('clone', 'config', 'depot.offline', 'sometimes');
  const shown = await box.run(PROGRAM, ['offline'], { cwd: 'clone' });
  expect(shown.status).toBe(1);
  expect(shown.stderr).toContain("error: cannot use depot.offline: 'sometimes' is neither true, false nor auto");
  expect(await box.depot('clone', 'offline', 'auto')).toContain('Offline mode in this clone: auto\n');
});
