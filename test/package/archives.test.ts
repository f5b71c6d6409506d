import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { packArchive } from '../../scripts/packaging/archive.ts';
import { parseTarget, type TargetName } from '../../scripts/packaging/targets.ts';
import { AgentProcess, INIT_UPLOAD, stopLeftovers } from '../session/agent-process.ts';
import { SessionSandbox, sha256OfFile, upload } from '../session/session-sandbox.ts';
import { makeWine, runInWine, whyNoWine } from '../windows/wine.ts';
import { PACKAGING, packaged, startWords, whyNoPackaging, whyNotRun } from './packaged.ts';

const VERSION: string = JSON.parse(readFileSync('package.json', 'utf8')).version;
const PAPERS = { 'README.md': 'read me\n', LICENSE: 'MIT\n', 'LICENSE.third-party.txt': 'theirs\n' };
const TIME = 1_700_000_000;
const NAMES = [...Object.keys(PAPERS), 'lfs-depot'].sort();

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
  let program: string;
  beforeAll(() => {
    if (lacking === undefined) program = packaged(name)[name];
  }, PACKAGING);

  test.skipIf(lacking)(`unpacks, into a folder with a space, to a working program ${lacking ?? ''}`, async () => {
    const unpacked = await unpack(name, program);
    expect(readdirSync(unpacked)).toEqual(NAMES);
    expect(statSync(join(unpacked, 'lfs-depot')).mode & 0o777).toBe(0o755);
    expect(statSync(join(unpacked, 'LICENSE')).mtimeMs).toBe(TIME * 1000);

    const [command, ...before] = startWords(name, join(unpacked, 'lfs-depot'));
    expect(await box.ok(command!, [...before, '--version'])).toContain(`${VERSION} (`);

    const agent = new AgentProcess(box, box.store, { command: command!, args: [...before, 'agent', box.store] });
    agent.send(INIT_UPLOAD);
    expect(await agent.answer(1)).toEqual({});
    const object = box.object(10_000);
    agent.send(upload(object));
    expect(await agent.answer(2)).toEqual({ event: 'complete', oid: object.oid });
    await agent.finish();
    expect(sha256OfFile(box.stored(object.oid))).toBe(object.oid);
  });
});

test.skipIf(whyNotRun('linux-x64'))(
  'the script that tries a release finds that its program works',
  async () => {
    const { path, sha256 } = await pack('linux-x64', packaged('linux-x64')['linux-x64'], 'packed');
    box.write('packed/SHA256SUMS', `${sha256}  ${basename(path)}\n`);
    const script = resolve('scripts/packaging/try.sh');
    expect(await box.ok(script, [path])).toContain(': installed, pushed and cloned');

    box.write('packed/SHA256SUMS', `${'0'.repeat(64)}  ${basename(path)}\n`);
    expect(await box.run(script, [path])).toMatchObject({ status: 1, stderr: expect.stringContaining('hash') });
  },
  PACKAGING,
);

describe('the archive for win-x64', () => {
  test.skipIf(whyNoPackaging() ?? whyNoWine())(
    'unpacks to a program that works under Wine',
    async () => {
      makeWine();
      const unpacked = await unpack('win-x64', packaged('win-x64')['win-x64']);
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
    const first = await pack(name, program, 'first');
    utimesSync(program, 1_000_000_000, 1_000_000_000);
    expect((await pack(name, program, 'second')).sha256).toBe(first.sha256);
  },
);

function pack(name: TargetName, program: string, folder: string) {
  const options = { version: VERSION, time: TIME, folder: box.path(folder), effort: 'quick' } as const;
  return packArchive(parseTarget(name), program, PAPERS, options);
}

/** Unpacks as a user does; resolves to the folder where the program is then. */
async function unpack(name: TargetName, program: string): Promise<string> {
  const { path } = await pack(name, program, 'packed');
  const folder = box.path('My Programs');
  mkdirSync(folder);
  if (path.endsWith('.zip')) execFileSync('unzip', ['-q', path, '-d', folder]);
  else execFileSync('tar', ['-xf', path, '-C', folder]);
  return path.endsWith('.zip') ? folder : join(folder, `lfs-depot-${VERSION}-${name}`);
}
