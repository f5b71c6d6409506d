import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { amountOf, sizeText } from '../../agent/spool/amount.ts';

const NOTICE = resolve(import.meta.dirname, '../../agent/notice.ts');

test.each([
  [0, '0 bytes'],
  [999, '999 bytes'],
  [1000, '1.0 KB'],
  [9949, '9.9 KB'],
  [9950, '10 KB'],
  [999_499, '999 KB'],
  [999_500, '1.0 MB'],
  [3_400_000_000, '3.4 GB'],
  [2 ** 53, '9007 TB'],
])('%i bytes are %s', (bytes, text) => {
  expect(sizeText(bytes)).toBe(text);
});

test('one object is told in the singular', () => {
  expect(amountOf(1, 5)).toBe('1 object (5 bytes)');
  expect(amountOf(0, 0)).toBe('0 objects (0 bytes)');
});

/** `script`, of util-linux, gives a program a terminal. */
describe.skipIf(process.platform !== 'linux')('a notice', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'depot-notice-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Runs a line of TypeScript, as often as it is given, each in a process of its own under one parent. */
  function say(lines: string[], terminal: boolean, env: NodeJS.ProcessEnv = {}): string {
    const file = (index: number) => join(folder, `say${index}.ts`);
    for (const [index, line] of lines.entries()) {
      writeFileSync(file(index), `import { notice, noticeOnce } from ${JSON.stringify(NOTICE)};\n${line}\n`);
    }
    // At the end something else, or the shell may become the last of them.
    const all = lines
      .map((_, index) => `'${process.execPath}' '${file(index)}' && `)
      .join('')
      .concat('true');
    // Without a terminal of its own, not even the one that the tests run in.
    const [command, ...args] = terminal ? ['script', '-qec', all, '/dev/null'] : ['setsid', '-w', 'sh', '-c', all];
    const { status, stdout, stderr } = spawnSync(command!, args, {
      encoding: 'utf8',
      env: { ...process.env, NODE_NO_WARNINGS: '1', GIT_TRACE: '', ...env },
    });
    expect({ status, stderr: env.GIT_TRACE ? '' : stderr }).toEqual({ status: 0, stderr: '' });
    return stdout + stderr;
  }
  const once = (text: string, name = 'x') => `noticeOnce(${JSON.stringify(folder)}, '${name}', '${text}');`;

  test('goes to the terminal, on a line of its own, whatever stands there', () => {
    const shown = say(["process.stdout.write('a meter'); notice('short'); notice('x'.repeat(200));"], true);
    expect(shown).toMatch(/^a meter\r+lfs-depot: short {60,}\r\n\r+lfs-depot: x{200}\r\n$/);
  });

  test('without a terminal goes to the trace only, and nothing fails', () => {
    expect(say(["notice('here');"], false)).toBe('');
    expect(say(["notice('here');"], false, { GIT_TRACE: '1' })).toBe('lfs-depot: here\n');
  });

  test('cannot be made to write anything else on the terminal', () => {
    expect(say(["notice('a\\u001b[2Jb\\nlfs-depot: forged');"], true)).toMatch(
      /^\r+lfs-depot: a\\u\{1b\}\[2Jb\\u\{a\}lfs-depot: forged *\r\n$/,
    );
  });

  test('that is told once is told once by several processes of a parent, and twice of two kinds', () => {
    const shown = say([once('one') + once('one'), once('one'), once('other', 'y')], true);
    expect(shown.split('one')).toHaveLength(2);
    expect(shown.split('other')).toHaveLength(2);
  });

  test('is told again by the next parent, and by one with the same number a while later', () => {
    expect(say([once('one')], true)).toContain('one');
    expect(say([once('one')], true)).toContain('one');
    const told = join(folder, 'told-x');
    const age = `import('node:fs').then(({ utimesSync }) => utimesSync(${JSON.stringify(told)}, 1, 1));`;
    const shown = say([once('one'), age, once('one')], true);
    expect(shown.split('one')).toHaveLength(3);
  });

  test('is told where nothing can be written beside', () => {
    rmSync(folder, { recursive: true });
    const elsewhere = folder;
    folder = mkdtempSync(join(tmpdir(), 'depot-notice-'));
    const line = `noticeOnce(${JSON.stringify(elsewhere)}, 'x', 'one');`;
    expect(say([line + line], true).split('one')).toHaveLength(2);
    expect(existsSync(elsewhere)).toBe(false);
  });
});
