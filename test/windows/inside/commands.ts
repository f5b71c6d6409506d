import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PROGRAM, type Result, Sandbox } from '../../sandbox.ts';
import { AgentProcess, INIT_DOWNLOAD, INIT_UPLOAD, stopLeftovers } from '../../session/agent-process.ts';
import { download, sha256, sha256OfFile, upload } from '../../session/session-sandbox.ts';

let box: Sandbox;
let share: string;
beforeEach(() => {
  box = new Sandbox();
  share = mkdtempSync('\\\\srv\\lfs\\depot-commands-');
});
afterEach(() => {
  stopLeftovers();
  box.remove();
  rmSync(share, { recursive: true, force: true });
});

const depot = (cwd: string, ...args: string[]): Promise<Result> => box.run(PROGRAM, args, { cwd });

test('--version tells the version, and run bare it says what to do next', async () => {
  expect(await box.depot('.', '--version')).toMatch(/^\d+\.\d+\.\d+.* \([0-9a-f]{10}(\+changes)?\)\r?\n$/);
  const { stdout, stderr } = await depot('.');
  expect(stdout).toMatch(/lfs-depot\.exe install\r?\n/);
  expect(stderr).toBe('');
});

test('install writes the path of the program with forward slashes, also from a folder with spaces', async () => {
  const folder = box.path('Program Files (x86)', "Grün & Co's tools");
  mkdirSync(folder, { recursive: true });
  const program = `${folder}\\lfs-depot.exe`;
  copyFileSync(PROGRAM, program);
  const { status, stdout } = await box.run(program, ['install']);
  expect(status).toBe(0);
  expect(stdout).toContain('Written to your global git config');
  const path = (await box.git('.', 'config', '--global', 'lfs.customtransfer.depot.path')).trim();
  expect(path).toBe(program.replaceAll('\\', '/'));
  expect((await box.git('.', 'config', '--global', 'lfs.customtransfer.depot.args')).trim()).toBe('agent');
  expect(existsSync(path)).toBe(true);
  expect((await box.run(program, ['install'])).stdout).toContain('is installed already');
});

/** A repository whose store, on the share, `init` has made. The location is returned in its canonical spelling. */
async function team(spelled: (location: string) => string): Promise<string> {
  await box.depot('.', 'install');
  await box.git('.', 'init', '-q', 'repo');
  const location = `${share.replaceAll('\\', '/')}/store`;
  const { status, stdout, stderr } = await depot('repo', 'init', spelled(location));
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toContain(`Made a new store: ${location}`);
  return location;
}

const moveObject = async (): Promise<void> => {
  const content = Buffer.from('content of an object');
  const object = { oid: sha256(content), size: content.length, path: box.write('local/object', content) };
  const up = new AgentProcess(box, '', { args: ['agent'] });
  up.send(INIT_UPLOAD, upload(object));
  expect(await up.finish()).toEqual([{}, { event: 'complete', oid: object.oid }]);
  const down = new AgentProcess(box, '', { args: ['agent'] });
  down.send(INIT_DOWNLOAD, download(object));
  expect(sha256OfFile((await down.finish())[1]!.path!)).toBe(object.oid);
};

test('init with a share in backslashes writes forward slashes, and the agent and doctor use it', async () => {
  const location = await team((typed) => typed.replaceAll('/', '\\'));
  expect(readFileSync(box.path('repo/.lfsconfig'), 'utf8')).toContain(`url = depot::${location}\n`);
  expect(await box.git('.', 'config', '--global', 'depot.trusted')).toBe(`${location}\n`);
  await moveObject();
  await box.git('repo', 'add', '.lfsconfig');
  await box.git('repo', 'commit', '-qm', 'start');
  await box.git('repo', 'lfs', 'install', '--local');
  const { stdout } = await depot('repo', 'doctor', '--json');
  const findings = JSON.parse(stdout).findings as { subject: string; ok: boolean; detail: string }[];
  expect(findings.filter(({ ok }) => !ok)).toEqual([]);
});

test('a share of a clone is not touched before it is trusted, and then in any case of its letters', async () => {
  const location = await team((typed) => typed);
  await box.git('.', 'config', '--global', '--unset', 'depot.trusted');
  const agent = new AgentProcess(box, '', { args: ['agent'] });
  agent.send(INIT_DOWNLOAD, download({ oid: '0'.repeat(64), size: 1 }));
  const [, refusal] = await agent.finish();
  expect(refusal?.error?.code).toBe(2);
  expect(refusal?.error?.message).toContain(`lfs-depot trust ${location}`);
  const trusted = location.replace('//srv/lfs', '//SRV/Lfs').replace('/store', '/STORE');
  expect((await depot('repo', 'trust', trusted)).status).toBe(0);
  expect((await depot('repo', 'trust')).stdout).toContain('Trusted already');
  await moveObject();
});

test('a git.exe that a clone brings along is not started: neither by a command typed there nor by the agent', async () => {
  await team((typed) => typed);
  copyFileSync(`${process.env.SystemRoot}\\system32\\hostname.exe`, box.path('repo/git.exe'));
  const { stdout } = await depot('repo', 'doctor', '--json');
  const [git] = JSON.parse(stdout).findings as { subject: string; detail: string }[];
  expect(git).toMatchObject({ subject: 'git', detail: expect.stringMatching(/^git version/) });
  await moveObject();
});
