import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { filesBelow, PROGRAM, Sandbox } from '../sandbox.ts';
import { soundStore } from './objects.ts';
import { IS_ROOT, User } from './user.ts';

interface Finding {
  subject: string;
  ok: boolean;
  detail: string;
  cure?: string;
}

/** A clone `alice` in which all is well, until a test breaks one link of the chain. */
let box: Sandbox;
let store: string;
beforeEach(async () => {
  box = new Sandbox();
  store = await box.team();
  box.write('alice/a.bin', 500);
  await box.push('alice');
});
afterEach(() => box.remove());

async function findings(...args: string[]): Promise<Finding[]> {
  const { status, stdout, stderr } = await box.run(PROGRAM, ['doctor', '--json', ...args], { cwd: 'alice' });
  const report = JSON.parse(stdout) as { ok: boolean; findings: Finding[] };
  expect({ status, stderr }).toEqual({ status: report.ok ? 0 : 1, stderr: '' });
  expect(report.ok).toBe(report.findings.every(({ ok }) => ok));
  for (const { ok, cure } of report.findings) expect(!ok || cure === undefined).toBe(true);
  return report.findings;
}

/** The one thing that is wrong, as both forms of the report tell it. */
async function theProblem(): Promise<Finding & { cure: string }> {
  const wrong = (await findings()).filter(({ ok }) => !ok);
  expect(wrong.map(({ subject }) => subject)).toHaveLength(1);
  const [problem] = wrong;
  const { stdout, status } = await box.run(PROGRAM, ['doctor'], { cwd: 'alice' });
  expect(status).toBe(1);
  expect(stdout).toContain(`✗ ${problem!.subject}: `);
  expect(stdout).toContain(`→ ${problem!.cure?.split('\n')[0]}`);
  return { ...problem!, cure: problem!.cure ?? 'no cure' };
}

/** Types the command that a cure names, and looks again. */
async function cureBy(cure: string): Promise<void> {
  const command = /`([^`]+)`/.exec(cure)?.[1] ?? /run: (.*)/.exec(cure)?.[1] ?? cure;
  await box.sh('alice', command);
  await expectAllWell();
}

async function expectAllWell(): Promise<void> {
  expect((await findings()).filter(({ ok }) => !ok)).toEqual([]);
  expect(await box.depot('alice', 'doctor')).toMatch(/\nAll is well\.\n$/);
}

test('where all is well, every link is told with a ✓, and nothing is left behind', async () => {
  const before = soundStore(store);
  const report = await box.depot('alice', 'doctor');
  expect(report).not.toContain('✗');
  const links = [
    'git',
    'git-lfs',
    'git-lfs filters',
    'agent',
    'other repositories',
    'pre-push hook',
    '.lfsconfig',
    'prune',
  ];
  for (const link of [...links, 'location', 'store', 'writing and reading', 'free space']) {
    expect(report).toContain(`✓ ${link}: `);
  }
  expect(soundStore(store)).toEqual(before);
  await expectAllWell();
});

test('git-lfs is not set up', async () => {
  await box.git('.', 'config', '--global', '--remove-section', 'filter.lfs');
  const { subject, cure } = await theProblem();
  expect(subject).toBe('git-lfs filters');
  await cureBy(cure);
});

test('lfs-depot is not installed', async () => {
  await box.depot('.', 'uninstall');
  const { subject, cure } = await theProblem();
  expect(subject).toBe('agent');
  await cureBy(cure);
});

test('a program in a folder for temporary files works, and is told to be better moved', async () => {
  const program = box.path('Downloads/lfs-depot');
  mkdirSync(box.path('Downloads'));
  copyFileSync(PROGRAM, program);
  expect(await box.ok(program, ['install'])).toContain('warning: git-lfs will look for the program where it is now');
  const agent = (await findings()).find(({ subject }) => subject === 'agent');
  expect(agent).toMatchObject({ ok: true, detail: expect.stringContaining('Downloads folder') });
});

test('the installed program is gone', async () => {
  mkdirSync(box.path('old place'));
  const program = box.path('old place/lfs-depot');
  copyFileSync(PROGRAM, program);
  await box.ok(program, ['install']);
  rmSync(program);
  const { subject, detail, cure } = await theProblem();
  expect(subject).toBe('agent');
  expect(detail).toContain(program);
  await cureBy(cure);
});

test('the installed program does not run', async () => {
  mkdirSync(box.path('old place'));
  const program = box.path('old place/lfs-depot');
  copyFileSync(PROGRAM, program);
  await box.ok(program, ['install']);
  rmSync(program);
  writeFileSync(program, 'not a program', { mode: 0o755 });
  const { subject, cure } = await theProblem();
  expect(subject).toBe('agent');
  await cureBy(cure);
});

test('an unscoped agent takes over every repository', async () => {
  await box.git('.', 'config', '--global', 'lfs.standalonetransferagent', 'lfs-folder');
  const { subject, detail, cure } = await theProblem();
  expect(subject).toBe('other repositories');
  expect(detail).toContain('lfs.standalonetransferagent');
  await cureBy(cure);
});

test('the pre-push hook is missing, or another one stands in its place', async () => {
  const hook = box.path('alice/.git/hooks/pre-push');
  writeFileSync(hook, '#!/bin/sh\nexit 0\n');
  expect((await theProblem()).subject).toBe('pre-push hook');
  rmSync(hook);
  const { subject, cure } = await theProblem();
  expect(subject).toBe('pre-push hook');
  await cureBy(cure);
});

test('.lfsconfig is not committed', async () => {
  await box.git('alice', 'rm', '-q', '--cached', '.lfsconfig');
  await box.git('alice', 'commit', '-qm', 'forgotten');
  const { subject, cure } = await theProblem();
  expect(subject).toBe('.lfsconfig');
  await cureBy(cure);
});

test('in a bare repository the files of HEAD are told, and that there is none', async () => {
  await box.git('.', 'clone', '-q', '--bare', 'remote.git', 'bare.git');
  const report = await box.depot('bare.git', 'doctor');
  expect(report).toContain('✓ .lfsconfig: read from HEAD\n');
  expect(report).toContain('✓ .lfsdepot: there is none\n');
});

test.each(['local', 'global'])('prune is said to verify, in %s git config, and does not', async (scope) => {
  await box.git('alice', 'config', `--${scope}`, 'lfs.pruneVerifyRemoteAlways', 'true');
  const { subject, cure } = await theProblem();
  expect(subject).toBe('prune');
  expect(cure).toContain('lfs-depot status --for-prune');
  await cureBy(cure.split('\n')[0] ?? cure);
});

test('the location is not trusted', async () => {
  await box.depot('.', 'trust', '--remove', store);
  const { subject, detail, cure } = await theProblem();
  expect(subject).toBe('location');
  expect(detail).toContain(store);
  await cureBy(cure);
});

test('the store is away', async () => {
  renameSync(store, box.path('away'));
  const { subject, detail, cure } = await theProblem();
  expect(subject).toBe('store');
  expect(detail).toContain(store);
  expect(cure).toContain('mount');
  renameSync(box.path('away'), store);
  await expectAllWell();
});

test('the marker of the store is lost: init --adopt, as told, brings it back', async () => {
  rmSync(`${store}/lfs-depot.json`);
  const { subject, cure } = await theProblem();
  expect(subject).toBe('store');
  expect(cure).toContain('lfs-depot init');
  const refused = await box.run(PROGRAM, ['init', store], { cwd: 'alice' });
  expect(refused.stderr).toContain('--adopt');
  await cureBy(cure);
});

test.each(['', 'half a marker {', '{"format":"1","id":"x"}'])(
  'the marker of the store is damaged: %j',
  async (text) => {
    writeFileSync(`${store}/lfs-depot.json`, text);
    const { subject, detail, cure } = await theProblem();
    expect(subject).toBe('store');
    expect(detail).toContain('lfs-depot.json is damaged');
    await cureBy(cure);
    expect(soundStore(store)).toHaveLength(1);
  },
);

test.skipIf(!IS_ROOT)('the store cannot be written', async () => {
  chmodSync(box.root, 0o755);
  const reader = new User({ uid: 4001, gid: 4001 });
  try {
    await reader.depot('.', 'install');
    await reader.depot('.', 'trust', store);
    await reader.git('.', 'clone', '-q', box.path('remote.git'), 'bob');
    const { status, stdout } = await reader.run(PROGRAM, ['doctor'], 'bob');
    expect(status).toBe(1);
    expect(stdout).toMatch(/✗ writing and reading: .*permission denied \(EACCES\)\n {4}→ .*write access/);
    expect(stdout).toContain(store);
    await box.ok('chown', ['-R', '4001', store]);
    expect((await reader.run(PROGRAM, ['doctor'], 'bob')).status).toBe(0);
  } finally {
    reader.box.remove();
  }
});

test('doctor with a location looks at that store, from anywhere', async () => {
  expect(await box.depot('home', 'doctor', store)).toContain(`✓ location: ${store}`);
  const missing = await box.run(PROGRAM, ['doctor', box.path('nothing here')]);
  expect(missing.status).toBe(1);
  expect(missing.stdout).toContain(box.path('nothing here'));
  expect(readdirSync(box.root)).not.toContain('nothing here');
});

test('doctor does not open a location that is not trusted just because it was asked about the repository', async () => {
  await box.depot('.', 'trust', '--remove', store);
  const report = await box.run(PROGRAM, ['doctor'], { cwd: 'alice' });
  expect(report.stdout).not.toContain('✓ store');
});

test('a remote that is a folder, before init: git-lfs by itself serves it, and nothing is made there', async () => {
  await box.git('.', 'init', '-q', '--bare', 'plain.git');
  await box.git('.', 'clone', '-q', 'plain.git', 'bob');
  const before = filesBelow(box.path('plain.git'));
  const report = await box.depot('bob', 'doctor');
  expect(report).toContain(`✓ location: git-lfs by itself keeps its objects in ${box.path('plain.git')} (`);
  expect(report).toMatch(/not set up for lfs-depot\n\nNothing is wrong, .*: lfs-depot init <location>, /);
  expect(report).not.toContain('All is well');
  expect(await box.depot('bob', 'status')).toContain('lfs-depot is not used here');
  expect(filesBelow(box.path('plain.git'))).toEqual(before);
  expect(existsSync(box.path('plain.git/lfs'))).toBe(false);

  await box.depot('.', 'install', '--file-remotes');
  await box.git('bob', 'lfs', 'track', '*.bin');
  expect(await box.depot('bob', 'doctor')).toContain('\nAll is well.\n');
  expect(await box.depot('bob', 'status')).not.toContain('not used here');
});
