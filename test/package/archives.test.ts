import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Archive, packArchive } from '../../scripts/packaging/archive.ts';
import { parseTarget, type TargetName } from '../../scripts/packaging/targets.ts';
import { AgentProcess, INIT_UPLOAD, stopLeftovers } from '../session/agent-process.ts';
import { SessionSandbox, sha256OfFile, upload } from '../session/session-sandbox.ts';
import { makeWine, runInWine, whyNoWine } from '../windows/wine.ts';
import { PACKAGING, packaged, startWords, whyNoPackaging, whyNotRun } from './packaged.ts';

const VERSION: string = JSON.parse(readFileSync('package.json', 'utf8')).version;
const PAPERS = { 'README.md': 'read me\n', LICENSE: 'MIT\n', 'LICENSE.third-party.txt': 'theirs\n' };
const TIME = 1_700_000_000;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'depot archives '));
});
afterAll(() => rmSync(folder, { recursive: true }));

let box: SessionSandbox;
beforeEach(async () => {
  box = await SessionSandbox.make();
});
afterEach(() => {
  stopLeftovers();
  box.remove();
});

describe.each([
  { name: 'linux-x64', lacking: whyNotRun('linux-x64') },
  { name: 'linux-arm64', lacking: whyNotRun('linux-arm64') },
] as const)('the archive for $name', ({ name, lacking }) => {
  let archive: Archive;
  beforeAll(async () => {
    if (lacking === undefined) archive = await pack(name, packaged(name)[name], folder);
  }, PACKAGING);

  test.skipIf(lacking)(`unpacks, into a folder with a space, to a working program ${lacking ?? ''}`, async () => {
    const unpacked = join(unpack(archive), `lfs-depot-${VERSION}-${name}`);
    expect(readdirSync(unpacked)).toEqual([...Object.keys(PAPERS), 'lfs-depot'].sort());
    expect(statSync(join(unpacked, 'lfs-depot')).mode & 0o777).toBe(0o755);
    expect(statSync(join(unpacked, 'LICENSE')).mtimeMs).toBe(TIME * 1000);

    const [command, ...before] = startWords(name, join(unpacked, 'lfs-depot'));
    // With options that would make Node reject its code cache, which it says on stderr.
    const env = { NODE_OPTIONS: '--stack-trace-limit=5' };
    const { stdout, stderr } = await box.run(command!, [...before, '--version'], { env });
    expect({ stdout, stderr }).toEqual({ stdout: expect.stringContaining(`${VERSION} (`), stderr: '' });

    const agent = new AgentProcess(box, box.store, { command: command!, args: [...before, 'agent', box.store] });
    agent.send(INIT_UPLOAD);
    expect(await agent.answer(1)).toEqual({});
    const object = box.object(10_000);
    agent.send(upload(object));
    expect(await agent.answer(2)).toEqual({ event: 'complete', oid: object.oid });
    await agent.finish();
    expect(sha256OfFile(box.stored(object.oid))).toBe(object.oid);
  });

  test.skipIf(lacking ?? (name === 'linux-arm64' ? 'the script starts it as it is' : undefined))(
    'is found to work by the script that tries a release',
    async () => {
      const script = resolve('scripts/packaging/try.sh');
      const sums = (hash: string) => box.write(join(folder, 'SHA256SUMS'), `${hash}  ${basename(archive.path)}\n`);
      sums(archive.sha256);
      expect(await box.ok(script, [archive.path])).toContain(': installed, pushed and cloned');
      sums('0'.repeat(64));
      expect(await box.run(script, [archive.path])).toMatchObject({
        status: 1,
        stderr: expect.stringContaining('hash'),
      });
    },
  );
});

describe('the archive for win-x64', () => {
  test.skipIf(whyNoPackaging() ?? whyNoWine())(
    'unpacks to a program that works under Wine',
    async () => {
      makeWine();
      const unpacked = unpack(await pack('win-x64', packaged('win-x64')['win-x64'], folder));
      expect(readdirSync(unpacked)).toEqual([...Object.keys(PAPERS), 'lfs-depot.exe'].sort());
      const { stdout } = await runInWine(join(unpacked, 'lfs-depot.exe'), ['--version']);
      expect(stdout).toContain(`${VERSION} (`);
    },
    PACKAGING,
  );
});

test.skipIf(whyNoPackaging()).each(['linux-x64', 'win-x64'] as const)(
  'an archive for %s has the same bytes whenever it is packed',
  async (name) => {
    const program = box.write('program', 100_000);
    const first = await pack(name, program, box.path('first'));
    utimesSync(program, 1_000_000_000, 1_000_000_000);
    expect((await pack(name, program, box.path('second'))).sha256).toBe(first.sha256);
  },
);

function pack(name: TargetName, program: string, into: string): Promise<Archive> {
  const options = { version: VERSION, time: TIME, folder: into, effort: 'quick' } as const;
  return packArchive(parseTarget(name), program, PAPERS, options);
}

/** Unpacks as a user does, and gives the folder. */
function unpack({ path }: Archive): string {
  const programs = box.path('My Programs');
  mkdirSync(programs);
  if (path.endsWith('.zip')) execFileSync('unzip', ['-q', path, '-d', programs]);
  else execFileSync('tar', ['-xf', path, '-C', programs]);
  return programs;
}
