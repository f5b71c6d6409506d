import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const FIXTURES = resolve(import.meta.dirname, '../../test/unit/fixtures/mountinfo');

/** Says how the texts that a kernel just gave differ from the ones that the unit tests read; with `save` replaces these. */
export function compareFixtures(fresh: string, save: boolean): string {
  const names = readdirSync(fresh);
  if (save) {
    cpSync(fresh, FIXTURES, { recursive: true });
    return `${names.length} texts saved`;
  }
  const different = names.filter((name) => {
    const text = readFileSync(join(fresh, name), 'utf8');
    return !readdirSync(FIXTURES).includes(name) || text !== readFileSync(join(FIXTURES, name), 'utf8');
  });
  return `${names.length} texts, ${different.length === 0 ? 'all as' : `${different.join(' ')} unlike those`} in test/unit/fixtures/mountinfo`;
}
