import { execFileSync, spawn } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readLines, writeLine } from '../../agent/stdio.ts';

const MIB = 1024 * 1024;

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'depot-stdio-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** A pipe of the file system: its ends are descriptors of this process. */
function pipe(): { reader: number; writer: number } {
  const path = join(home, `pipe-${Math.random()}`);
  execFileSync('mkfifo', [path]);
  const both = openSync(path, constants.O_RDWR);
  const reader = openSync(path, constants.O_RDONLY);
  const writer = openSync(path, constants.O_WRONLY);
  closeSync(both);
  return { reader, writer };
}

async function allLines(fd: number): Promise<string[]> {
  const input = readLines(fd);
  const lines: string[] = [];
  for (let line = await input(); line !== undefined; line = await input()) lines.push(line);
  expect(await input()).toBeUndefined();
  return lines;
}

async function linesOf(content: Buffer | string): Promise<string[]> {
  const file = join(home, 'input');
  writeFileSync(file, content);
  const fd = openSync(file, 'r');
  try {
    return await allLines(fd);
  } finally {
    closeSync(fd);
  }
}

describe('reading', () => {
  test.each<[string, string[]]>([
    ['', []],
    ['one\n', ['one']],
    ['one', ['one']],
    ['one\ntwo\n', ['one', 'two']],
    ['one\ntwo', ['one', 'two']],
    ['\n\none\n\n', ['', '', 'one', '']],
    ['one\r\ntwo\r\n', ['one', 'two']],
    ['one\r\ntwo\r', ['one', 'two']],
    ['in\rside\n', ['in\rside']],
    ['\r\n', ['']],
    ['ünï 日本 😀\n', ['ünï 日本 😀']],
    ['nul\0inside\n', ['nul\0inside']],
  ])('%j has the lines %j', async (content, lines) => {
    expect(await linesOf(content)).toEqual(lines);
  });

  test('lines come whole however the input is cut into pieces, inside of a character too', async () => {
    const line = fc.string({ unit: fc.constantFrom(...'ab{"}:\\ü日😀') });
    const cut = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 8 }),
        cut,
        fc.constantFrom('\n', '\r\n'),
        async (lines, cuts, end) => {
          const { reader, writer } = pipe();
          const bytes = Buffer.from(lines.map((text) => text + end).join(''));
          const reading = allLines(reader);
          for (let done = 0, turn = 0; done < bytes.length; turn++) {
            done += writeSync(writer, bytes, done, Math.min(cuts[turn % cuts.length]!, bytes.length - done));
            await new Promise((resolve) => setImmediate(resolve));
          }
          closeSync(writer);
          expect(await reading).toEqual(lines);
          closeSync(reader);
        },
      ),
      { numRuns: 40 },
    );
  });

  test('many lines in one piece all come, in order', async () => {
    const lines = Array.from({ length: 20_000 }, (_, index) => `{"event":"upload","n":${index}}`);
    expect(await linesOf(`${lines.join('\n')}\n`)).toEqual(lines);
  });

  test('a line of a hundred kilobytes, longer than a piece, is whole', async () => {
    const long = 'ü'.repeat(50_000);
    expect(await linesOf(`${long}\nnext\n`)).toEqual([long, 'next']);
  });

  test('a line of 2 MiB is not kept, and the lines around it are whole', async () => {
    const lines = await linesOf(`before\n${'x'.repeat(2 * MIB)}\nafter\n`);
    expect(lines).toHaveLength(3);
    expect([lines[0], lines[2]]).toEqual(['before', 'after']);
    expect(lines[1]).toBe(`a line of ${2 * MIB} bytes, which is too long`);
  });

  test('a line that is too long is never taken for a message', async () => {
    const message = JSON.stringify({ event: 'upload', oid: 'a'.repeat(64), size: 1, path: `/${'x'.repeat(2 * MIB)}` });
    const [line] = await linesOf(`${message}\n`);
    expect(() => JSON.parse(line!)).toThrow(SyntaxError);
  });

  test('a line of 2 MiB without an end is not kept either', async () => {
    const lines = await linesOf('x'.repeat(2 * MIB));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('too long');
  });

  test('a pipe that its owner made non-blocking is waited for', async () => {
    const path = join(home, 'pipe');
    execFileSync('mkfifo', [path]);
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const writer = openSync(path, constants.O_WRONLY);
    const reading = allLines(reader);
    await new Promise((resolve) => setTimeout(resolve, 30));
    writeSync(writer, 'late\n');
    await new Promise((resolve) => setTimeout(resolve, 30));
    closeSync(writer);
    expect(await reading).toEqual(['late']);
    closeSync(reader);
  });

  test('a descriptor that cannot be read is at its end', async () => {
    const file = join(home, 'write-only');
    const fd = openSync(file, 'w');
    expect(await allLines(fd)).toEqual([]);
    closeSync(fd);
  });
});

describe('writing', () => {
  test('a line is written as it is', () => {
    const file = join(home, 'output');
    const fd = openSync(file, 'w');
    expect(writeLine(fd, 'ünï 😀\n')).toBe(true);
    expect(writeLine(fd, '')).toBe(true);
    expect(writeLine(fd, 'second\n')).toBe(true);
    closeSync(fd);
    expect(readFileSync(file, 'utf8')).toBe('ünï 😀\nsecond\n');
  });

  test('false is told when nobody reads any more', () => {
    const { reader, writer } = pipe();
    expect(writeLine(writer, 'read\n')).toBe(true);
    closeSync(reader);
    expect(writeLine(writer, 'unread\n')).toBe(false);
    closeSync(writer);
  });

  test('a reader slower than the pipe gets all of it, from a non-blocking end too', async () => {
    const path = join(home, 'pipe');
    execFileSync('mkfifo', [path]);
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const writer = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    const slow = spawn('sh', ['-c', `exec < '${path}'; echo open; sleep 0.2; wc -c`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const told: string[] = [];
    const opened = new Promise<void>((done) => {
      slow.stdout.on('data', (chunk: Buffer) => {
        told.push(chunk.toString());
        done();
      });
    });
    const ended = new Promise((done) => slow.on('close', done));
    await opened;
    closeSync(reader);
    expect(writeLine(writer, 'y'.repeat(400_000))).toBe(true);
    closeSync(writer);
    await ended;
    expect(told.join('')).toMatch(/^open\n\s*400000\n$/);
  });
});
