import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { filesBelow } from '../sandbox.ts';

const WRITER = resolve(import.meta.dirname, 'fresh-folders-writer.ts');
const WRITERS = 8;
const FOLDERS = 3000;

let root: string;
beforeEach(() => {
  // In memory the writers meet more often.
  root = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'depot-test-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** In a new store, the agents of one push make the same folders at the same moment, all the time. */
test('eight writers that store into the same new folders at once all succeed', async () => {
  writeFileSync(join(root, 'anchor'), '');
  const start = Date.now() + 2000;
  const failures = await Promise.all(
    Array.from({ length: WRITERS }, (_, number) => {
      const content = `writer ${number}`;
      const file = join(root, `source-${number}`);
      writeFileSync(file, content);
      const sha256 = createHash('sha256').update(content).digest('hex');
      return failuresOf([root, file, sha256, String(content.length), String(FOLDERS), String(start)]);
    }),
  );
  expect(failures.flat()).toEqual([]);
  expect(filesBelow(root).filter((path) => path.startsWith('folder-'))).toHaveLength(WRITERS * FOLDERS);
});

function failuresOf(args: string[]): Promise<string[]> {
  return new Promise((resolvePromise, reject) => {
    execFile(process.execPath, [WRITER, ...args], (error, stdout) => {
      if (error) reject(error);
      else resolvePromise(stdout.split('\n').filter((line) => line !== ''));
    });
  });
}
