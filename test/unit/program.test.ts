import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { firstSteps } from '../../agent/commands/first-steps.ts';
import { fleetingPlace, programWords, type Running } from '../../agent/program.ts';

const AT: Record<'linux' | 'darwin' | 'win32', Running> = {
  linux: { platform: 'linux', executable: '/usr/local/bin/lfs-depot', script: undefined, path: [], temp: '/tmp' },
  darwin: { platform: 'darwin', executable: '/opt/lfs-depot', script: undefined, path: [], temp: '/var/folders/x/T/' },
  win32: {
    platform: 'win32',
    executable: 'C:\\Program Files\\lfs-depot\\lfs-depot.exe',
    script: undefined,
    path: [],
    temp: 'C:\\Users\\jane\\AppData\\Local\\Temp',
  },
};

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'depot-program-')));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('on Windows the words have forward slashes', () => {
  expect(programWords(AT.win32)).toEqual(['C:/Program Files/lfs-depot/lfs-depot.exe']);
  expect(programWords({ ...AT.win32, script: 'C:\\x\\lfs-depot.cjs' })).toEqual([
    'C:/Program Files/lfs-depot/lfs-depot.exe',
    'C:/x/lfs-depot.cjs',
  ]);
});

test('a backslash stays in the name of a program elsewhere', () => {
  expect(programWords({ ...AT.linux, executable: '/opt/a\\b/lfs-depot' })).toEqual(['/opt/a\\b/lfs-depot']);
});

test('the link that an installer keeps on the PATH is named, since it outlives an update', () => {
  const executable = join(folder, 'Cellar/lfs-depot/0.1.0/bin/lfs-depot');
  mkdirSync(join(executable, '..'), { recursive: true });
  mkdirSync(join(folder, 'bin'));
  mkdirSync(join(folder, 'other'));
  writeFileSync(executable, '');
  writeFileSync(join(folder, 'other/lfs-depot'), '');
  symlinkSync(executable, join(folder, 'bin/lfs-depot'));
  const path = ['.', 'relative', join(folder, 'missing'), join(folder, 'other'), join(folder, 'bin')];
  expect(programWords({ ...AT.linux, executable, path })).toEqual([join(folder, 'bin/lfs-depot')]);
  expect(programWords({ ...AT.linux, executable, path: path.slice(0, 4) })).toEqual([executable]);
});

describe('a place in which the program will not stay', () => {
  test.each<[keyof typeof AT, string, RegExp | undefined]>([
    ['linux', '/usr/local/bin/lfs-depot', undefined],
    ['linux', '/home/me/bin/lfs-depot', undefined],
    ['linux', '/home/me/Downloads/lfs-depot', /Downloads/],
    ['linux', '/home/me/Downloads/lfs-depot-0.1.0/lfs-depot', /Downloads/],
    ['linux', '/tmp/x/lfs-depot', /temporary/],
    ['linux', '/var/tmp/lfs-depot', /temporary/],
    ['linux', '/tmpfiles/lfs-depot', undefined],
    ['linux', '/opt/downloads', undefined],
    ['darwin', '/Applications/lfs-depot', undefined],
    ['darwin', '/Users/me/Downloads/lfs-depot', /Downloads/],
    ['darwin', '/var/folders/x/T/y/lfs-depot', /temporary/],
    ['darwin', '/private/var/folders/a/b/AppTranslocation/ID/d/lfs-depot', /macOS/],
    ['win32', 'C:\\Program Files\\lfs-depot\\lfs-depot.exe', undefined],
    ['win32', 'C:\\Users\\Jane\\Downloads\\lfs-depot.exe', /Downloads/],
    ['win32', 'C:/Users/Jane/downloads/x/lfs-depot.exe', /Downloads/],
    ['win32', 'C:\\Users\\JANE\\AppData\\Local\\Temp\\Temp1_lfs-depot.zip\\lfs-depot.exe', /temporary/],
    ['win32', 'C:\\Users\\Jane Long\\AppData\\Local\\Temp\\Temp1_lfs-depot.zip\\lfs-depot.exe', /temporary/],
    ['win32', '\\\\server\\tools\\lfs-depot.exe', undefined],
  ])('on %s, %s', (platform, executable, told) => {
    const found = fleetingPlace({ ...AT[platform], executable });
    if (told) expect(found).toMatch(told);
    else expect(found).toBeUndefined();
  });

  test('is looked for where the script is, if it is one', () => {
    expect(fleetingPlace({ ...AT.linux, script: '/home/me/Downloads/lfs-depot.cjs' })).toMatch(/Downloads/);
  });
});

describe('the first steps', () => {
  // Nothing of this computer's own settings: lfs-depot may be installed here.
  beforeEach(() => {
    vi.stubEnv('GIT_CONFIG_GLOBAL', '/dev/null');
    vi.stubEnv('GIT_CONFIG_NOSYSTEM', '1');
  });
  afterEach(() => vi.unstubAllEnvs());

  test('name the program so that PowerShell starts it, blanks in its path or not', async () => {
    expect(await firstSteps(AT.win32)).toContain('& "C:\\Program Files\\lfs-depot\\lfs-depot.exe" install');
    expect(await firstSteps({ ...AT.win32, executable: 'C:\\tools\\lfs-depot.exe' })).toContain(
      ' C:\\tools\\lfs-depot.exe install',
    );
  });

  test('name it without its folder where that is on the PATH', async () => {
    expect(await firstSteps({ ...AT.win32, path: ['C:\\x', 'c:\\program files\\LFS-Depot\\'] })).toContain(
      ' lfs-depot install',
    );
    expect(await firstSteps({ ...AT.linux, path: ['/usr/local/bin'] })).toContain(' lfs-depot install');
  });

  test('begin with moving it out of Downloads', async () => {
    const steps = await firstSteps({ ...AT.win32, executable: 'C:\\Users\\Jane\\Downloads\\lfs-depot.exe' });
    expect(steps).toMatch(/1\. Move the program to a folder where it can stay/);
  });

  test('say how to go on, and where the commands are', async () => {
    const steps = await firstSteps(AT.linux);
    expect(steps).toContain('lfs-depot init //server/share/art');
    expect(steps).toContain('lfs-depot --help');
  });
});
