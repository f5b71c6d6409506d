import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { INIT_VARIABLE, NEXT_VARIABLE } from '../../agent/handover.ts';
import { startSettings } from '../../agent/start.ts';

/** Both are `sh` somewhere. git-lfs runs `sh -c "<path> <args>"` (GIT-LFS-FACTS.md). */
const SHELLS = ['dash', 'bash'];

const OID = '4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393';
const INIT = '{"event":"init","operation":"upload","remote":"origin","concurrent":true,"concurrenttransfers":8}';
const UPLOAD = `{"event":"upload","oid":"${OID}","size":3,"path":"/tmp/x","action":null}`;
const TERMINATE = '{"event":"terminate"}';

/** Stands in for the agent: prints, as one line of JSON, everything that it was given. */
const RECORDER = `#!${process.execPath}
const stdin = require('node:fs').readFileSync(0, 'utf8');
const { ${INIT_VARIABLE}: init, ${NEXT_VARIABLE}: next } = process.env;
process.stdout.write(JSON.stringify({ words: process.argv.slice(1), init, next, stdin, pid: process.pid }) + '\\n');
`;

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'depot-start-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function programAt(name: string): string {
  const program = join(home, name);
  mkdirSync(dirname(program), { recursive: true });
  writeFileSync(program, RECORDER);
  chmodSync(program, 0o755);
  return program;
}

function startWith(shell: string, words: string[]): ChildProcessWithoutNullStreams {
  const { path, args } = startSettings(words, 'linux');
  // git-lfs quotes a path of other characters, see tools in its subprocess package.
  expect(path).toMatch(/^[A-Za-z0-9_@/.-]+$/);
  return spawn(shell, ['-c', `${path} ${args}`], { cwd: home });
}

interface Run {
  status: number | null;
  pid: number | undefined;
  lines: string[];
  stderr: string;
}

function run(shell: string, words: string[], input: string): Promise<Run> {
  const child = startWith(shell, words);
  const { pid } = child;
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('close', (status) => {
      const lines = Buffer.concat(out).toString().split('\n').slice(0, -1);
      done({ status, pid, lines, stderr: Buffer.concat(err).toString() });
    });
  });
}

describe.each(SHELLS)('the lazy start under %s', (shell) => {
  test.each([
    'plain',
    'with space/and  two',
    "it's/'quoted'",
    'double "quotes"',
    'dollar $HOME $x $(id)',
    'backtick `id`',
    'back\\slash\\n\\\\end\\',
    'ünï/日本語/😀',
    'percent %s %d %% %',
    'glob * ? [a-z] {a,b}',
    'semi; colon & and | pipe > file < file',
    '~/tilde',
    '#hash !bang',
    '-dash',
    '(paren) esac)',
  ])('the program %s is started with exactly its words, and takes over the process', async (name) => {
    const program = programAt(name);
    const { status, lines, stderr, pid } = await run(shell, [program], `${INIT}\n${UPLOAD}\n${TERMINATE}\n`);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(lines[0]).toBe('{}');
    // The pid: without exec, a killed git-lfs would leave the agent behind.
    expect(JSON.parse(lines[1]!)).toEqual({
      words: [program, 'agent'],
      init: INIT,
      next: UPLOAD,
      stdin: `${TERMINATE}\n`,
      pid,
    });
    expect(lines).toHaveLength(2);
  });

  test.each(['script', "a script's", 'agent/agent', 'a "$x" \\ %s 日'])(
    'two words, %s being the second, arrive as two',
    async (name) => {
      const script = programAt(`${name}.cjs`);
      const { lines } = await run(shell, [process.execPath, script], `${INIT}\n${UPLOAD}\n`);
      expect(JSON.parse(lines[1]!)).toMatchObject({ words: [script, 'agent'], next: UPLOAD, stdin: '' });
    },
  );

  test.each([
    { event: 'upload', oid: OID, size: 1, path: '/a b/"quoted"/it\'s' },
    { event: 'upload', oid: OID, size: 1, path: 'C:\\Users\\n\\t\\0\\x41\\' },
    { event: 'upload', oid: OID, size: 1, path: '/ünï/日本/😀/\u2028' },
    { event: 'upload', oid: OID, size: 1, path: '/100%/%s%n/%d' },
    { event: 'upload', oid: OID, size: 1, path: '/$HOME/$(touch pwned)/`touch pwned`/$x' },
    { event: 'upload', oid: OID, size: 1, path: '/* ?[a-z] ; & | ~ #' },
    { event: 'upload', oid: OID, size: 1, path: '/tab\tnewline\nreturn\r' },
    { event: 'upload', oid: OID, size: 1, path: '/x","event":"terminate"/{"event":"terminate"}' },
    { event: 'upload', oid: OID, size: 1, path: `/${'long/'.repeat(800)}` },
  ])('both lines are handed over byte for byte (%#)', async (next) => {
    const init = JSON.stringify({ event: 'init', operation: 'upload', remote: next.path });
    const line = JSON.stringify(next);
    const { lines } = await run(shell, [programAt('p')], `${init}\n${line}\nmore\n`);
    expect(JSON.parse(lines[1]!)).toMatchObject({ init, next: line, stdin: 'more\n' });
    expect(existsSync(join(home, 'pwned'))).toBe(false);
  });

  test('terminate without an object ends it with 0, and the program is not started', async () => {
    const { status, lines, stderr } = await run(shell, [programAt('p')], `${INIT}\n${TERMINATE}\n${UPLOAD}\n`);
    expect({ status, lines, stderr }).toEqual({ status: 0, lines: ['{}'], stderr: '' });
  });

  test.each([
    ['nothing', '', []],
    ['a part of the first line', INIT.slice(0, 20), []],
    ['the first line without its end', INIT, []],
    ['the first line', `${INIT}\n`, ['{}']],
    ['a part of the second line', `${INIT}\n${UPLOAD.slice(0, 20)}`, ['{}']],
    ['the second line without its end', `${INIT}\n${UPLOAD}`, ['{}']],
  ])('an end of input after %s ends it quietly', async (_, input, answered) => {
    const { status, lines, stderr } = await run(shell, [programAt('p')], input);
    expect({ status, lines, stderr }).toEqual({ status: 0, lines: answered, stderr: '' });
  });

  test('init is answered before the next line is there', async () => {
    const child = startWith(shell, [programAt('p')]);
    child.stdin.write(`${INIT}\n`);
    const [answer] = await new Promise<[Buffer]>((done) => child.stdout.once('data', (chunk: Buffer) => done([chunk])));
    expect(answer.toString()).toBe('{}\n');
    const closed = new Promise((done) => child.on('close', done));
    child.stdin.end(`${TERMINATE}\n`);
    expect(await closed).toBe(0);
  });

  // The same Ctrl-C ends git-lfs, and a hub that cannot tidy up yet.
  test('a worker that git-lfs takes no answer from leaves no meeting', async () => {
    const folder = join(home, '.git');
    mkdirSync(folder);
    writeFileSync(join(folder, 'HEAD'), 'ref: refs/heads/main\n');
    const child = startWith(shell, [programAt('p')]);
    const closed = new Promise((done) => child.on('close', done));
    child.stdout.destroy();
    child.stdin.end(`${INIT}\n`);
    await closed;
    expect(readdirSync(folder)).toEqual(['HEAD']);
  });

  describe('when the program is gone', () => {
    const other = OID.replace('4d', 'ff');

    test.each(['gone', "it's gone", 'gone "$x" %s \\n 日本 *'])(
      '%s: each object gets an answer of its own, in JSON',
      async (name) => {
        const program = join(home, name);
        const input = [INIT, UPLOAD, UPLOAD.replace(OID, other), TERMINATE, ''].join('\n');
        const { status, lines, stderr } = await run(shell, [program], input);
        expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
        const replies = lines.slice(1).map((line) => JSON.parse(line));
        expect(replies.map(({ event, oid }) => ({ event, oid }))).toEqual([
          { event: 'complete', oid: OID },
          { event: 'complete', oid: other },
        ]);
        for (const { error } of replies) {
          expect(error.code).toBe(2);
          expect(error.message).toContain(program);
          expect(error.message).toMatch(/\nhint: run `lfs-depot install`/);
        }
      },
    );

    test('so does one that is not executable', async () => {
      const program = programAt('p');
      chmodSync(program, 0o644);
      const { lines } = await run(shell, [program], `${INIT}\n${UPLOAD}\n`);
      expect(JSON.parse(lines[1]!)).toMatchObject({ event: 'complete', oid: OID, error: { code: 2 } });
    });

    test('so does a folder of that name', async () => {
      const program = join(home, 'folder');
      mkdirSync(program);
      const { lines } = await run(shell, [program], `${INIT}\n${UPLOAD}\n`);
      expect(JSON.parse(lines[1] ?? 'null')).toMatchObject({ event: 'complete', oid: OID, error: { code: 2 } });
    });

    test('so does a script that is gone while its Node is there', async () => {
      const script = join(home, 'gone.cjs');
      const { lines } = await run(shell, [process.execPath, script], `${INIT}\n${UPLOAD}\n`);
      expect(JSON.parse(lines[1] ?? 'null')).toMatchObject({ event: 'complete', oid: OID, error: { code: 2 } });
    });

    test.each(['', '\n', `${UPLOAD}\n`])('an end of input ends it (after %j)', async (more) => {
      const { status, stderr } = await run(shell, [join(home, 'gone')], `${INIT}\n${more}`);
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    });
  });
});

/** As git-lfs (3.3.0) writes `path` into the line for sh: quoted unless it holds only these characters. */
function quotedByGitLfs(path: string): string {
  return /^[A-Za-z0-9_@/.-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}

// Git for Windows brings its own sh. A path with a drive is relative here, and leads to the same words.
describe.each(SHELLS)('the start on Windows under %s', (shell) => {
  test.each([
    'C:/Program Files/lfs-depot/lfs-depot.exe',
    "C:/Users/O'Brien/lfs-depot.exe",
    'C:/Users/Jürgen Groß/日本/lfs-depot.exe',
    'C:/a&b/(x86)/%TEMP%/!now!/lfs-depot.exe',
    'C:/$HOME/`x`/;x/lfs depot.exe',
    'D:/tools/lfs-depot.exe',
    '//server/tools/lfs-depot.exe',
  ])('%s is started with the one word agent', (name) => {
    const program = name.startsWith('//') ? `//${programAt(name).slice(1)}` : name;
    if (program === name) programAt(name);
    const { path, args } = startSettings([program], 'win32');
    const told = execFileSync(shell, ['-c', `${quotedByGitLfs(path)} ${args}`], { cwd: home, input: `${INIT}\n` });
    const { words, stdin } = JSON.parse(told.toString());
    expect(words[1]).toBe('agent');
    expect(words).toHaveLength(2);
    expect(words[0]).toContain(program.replace(/^\/+/, ''));
    expect(stdin).toBe(`${INIT}\n`);
  });

  test.each(['C:/npm/lfs-depot.cjs', "C:/it's/my scripts/lfs-depot.cjs"])(
    'Node and the script %s are two words',
    (script) => {
      const node = 'C:/Program Files/nodejs/node.exe';
      programAt(node);
      const { path, args } = startSettings([node, script], 'win32');
      const told = execFileSync(shell, ['-c', `${quotedByGitLfs(path)} ${args}`], { cwd: home, input: '' });
      expect(JSON.parse(told.toString()).words.slice(1)).toEqual([script, 'agent']);
    },
  );
});

test('what the words hold is written as it is into git config, and read back the same', () => {
  const file = join(home, 'config');
  for (const platform of ['linux', 'win32'] as const) {
    for (const word of [
      "C:/Program Files/O'Brien/lfs-depot.exe",
      '/opt/ü "x" \\ # ; =/lfs-depot',
      ' leading and trailing ',
    ]) {
      for (const value of Object.values(startSettings([word], platform))) {
        execFileSync('git', ['config', '--file', file, '--replace-all', 'depot.test', value]);
        expect(execFileSync('git', ['config', '--file', file, '--null', 'depot.test'], { encoding: 'utf8' })).toBe(
          `${value}\0`,
        );
      }
    }
  }
});
