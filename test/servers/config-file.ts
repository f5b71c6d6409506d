import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const FOLDER = resolve(import.meta.dirname, 'config');

/** A change to a settings file for one test: what stands there, and what is to stand there instead. */
export type Change = readonly [found: string, put: string];

/**
 * Writes the settings file `config/<name>` to `folder`, with each `@NAME@` in it replaced by its value, after the
 * `changes`. Gives the path.
 * @throws an Error for a placeholder without a value, and for a change of what is not there.
 */
export function writeConfig(
  folder: string,
  name: string,
  values: Record<string, string>,
  changes: Change[] = [],
): string {
  let text = readFileSync(join(FOLDER, name), 'utf8');
  for (const [found, put] of changes) {
    if (!text.includes(found)) throw new Error(`${name} has no ${found}`);
    text = text.replace(found, () => put);
  }
  const filled = text.replace(/@([A-Z_]+)@/g, (_, key: string) => {
    const value = values[key];
    if (value === undefined) throw new Error(`nothing to put for @${key}@ in ${name}`);
    return value;
  });
  const path = join(folder, name);
  writeFileSync(path, filled);
  return path;
}
