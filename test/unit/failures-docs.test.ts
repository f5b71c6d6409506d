import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');

/** The rows of the tables in docs/failures.md, as their cells. */
const rows = readFileSync(resolve(ROOT, 'docs/failures.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| what happens'))
  .map((line) =>
    line
      .slice(1, -1)
      .split(' | ')
      .map((cell) => cell.trim()),
  );

test('there are rows', () => {
  expect(rows.length).toBeGreaterThan(40);
});

test.each(rows)('%s', (what, sees, guaranteed, tests = '') => {
  for (const cell of [what, sees, guaranteed]) expect(cell).not.toBe('');
  const named = [...tests.matchAll(/`([^`]+)` "([^"]+)"/g)];
  expect(named.length, 'names a test').toBeGreaterThan(0);
  for (const [, file, title] of named) {
    const path = resolve(ROOT, 'test', `${file}.test.ts`);
    expect(existsSync(path), `${file} exists`).toBe(true);
    expect(readFileSync(path, 'utf8')).toContain(title);
  }
});
