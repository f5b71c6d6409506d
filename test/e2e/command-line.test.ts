import { afterEach, beforeEach, expect, test } from 'vitest';
import { PROGRAM, type Result, Sandbox } from '../sandbox.ts';

let box: Sandbox;
beforeEach(() => {
  box = new Sandbox();
});
afterEach(() => box.remove());

const depot = (...args: string[]): Promise<Result> => box.run(PROGRAM, args);
const COMMANDS = ['install', 'uninstall', 'init', 'trust', 'login', 'logout', 'doctor'];

test('--help shows every command, on stdout and with status 0', async () => {
  const { status, stdout, stderr } = await depot('--help');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^ {2}${command}\\b`, 'm'));
  expect(await depot('-h')).toEqual(await depot('--help'));
});

test.each([...COMMANDS, 'agent'])('%s --help shows how it is used', async (command) => {
  const { status, stdout, stderr } = await depot(command, '--help');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toContain(`Usage: lfs-depot ${command}`);
});

test('--version tells the version and the commit', async () => {
  const { status, stdout } = await depot('--version');
  expect(status).toBe(0);
  expect(stdout).toMatch(/^\d+\.\d+\.\d+ \([^()]+\)\n$/);
});

test('without arguments it says what to do next, and not again what is done', async () => {
  const { status, stdout, stderr } = await depot();
  expect({ status, stderr }).toEqual({ status: 2, stderr: '' });
  expect(stdout).toContain(`${PROGRAM} install`);
  expect(stdout).toContain('lfs-depot --help');
  await depot('install');
  expect((await depot()).stdout).toContain('installed for you already');
});

test.each([
  ['an unknown command', ['frobnicate'], 'frobnicate'],
  ['an unknown option', ['install', '--frobnicate'], '--frobnicate'],
  ['an unknown option before a command', ['--frobnicate', 'install'], '--frobnicate'],
  ['a missing argument', ['init'], 'location'],
  ['an argument too many', ['install', 'something'], 'argument'],
  ['an option without its value', ['trust', '--remove'], '--remove'],
])('%s is wrong usage: status 2, and where to find help', async (_, args, named) => {
  const { status, stdout, stderr } = await depot(...args);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toMatch(/^error: /);
  expect(stderr).toContain(named);
  expect(stderr).toContain('lfs-depot --help');
});

test('a command that lacks git says so', async () => {
  const { status, stderr } = await box.run(PROGRAM, ['install'], { env: { PATH: box.path('nothing') } });
  expect(status).toBe(1);
  expect(stderr).toMatch(/^error: cannot run git: there is no git program on the PATH\nhint: /);
});

test('the first steps, by themselves and in the help, name what everybody else does before the first clone', async () => {
  for (const args of [[], ['--help']]) {
    const { stdout } = await box.run(PROGRAM, args);
    expect(stdout).toMatch(/lfs-depot init \/\/server\/share\/art[\s\S]*lfs-depot trust \/\/server\/share\/art/);
  }
});
