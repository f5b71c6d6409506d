import { DepotError, printable } from '../backends/errors.ts';
import { git, runGit } from './git.ts';

/**
 * Takes values out of git's configuration wherever they are: in the scope's own file, in one it includes, in XDG's.
 * `git config --global --unset` looks into one file only, and says nothing of the others.
 * @param scopes which scopes may be changed.
 * @param matches which values of the key go.
 * @returns the values that were removed, each with the file it was in.
 * @throws DepotError `denied` when one stays.
 */
export async function unsetEverywhere(key: string, scopes: string[], matches: (value: string) => boolean) {
  const removed: { value: string; file: string }[] = [];
  for (const { value, scope, file } of await standing(key)) {
    if (!scopes.includes(scope) || !matches(value)) continue;
    if (file === undefined) throw stays(key, value, 'it comes from the environment or the command line');
    await unsetIn(file, key, value);
    removed.push({ value, file });
  }
  const left = (await standing(key)).find(({ value, scope }) => scopes.includes(scope) && matches(value));
  if (left) throw stays(key, left.value, `it still stands in ${left.file ?? 'the environment'}`);
  return removed;
}

/** Takes one value of a key out of one file. */
export async function unsetIn(file: string, key: string, value: string): Promise<void> {
  await git(['config', '--file', file, '--unset-all', key, `^${escaped(value)}$`], { cwd: process.cwd() });
}

/** Every value of a key, once for each place. `file` is undefined for what is in no file. */
async function standing(key: string) {
  const args = ['config', '--null', '--show-scope', '--show-origin', '--get-all', key];
  const fields = (await runGit(args, { cwd: process.cwd() })).stdout.split('\0');
  const found: { scope: string; file: string | undefined; value: string }[] = [];
  const seen = new Set<string>();
  for (let index = 0; index + 2 < fields.length; index += 3) {
    const [scope = '', origin = '', value = ''] = fields.slice(index, index + 3);
    if (seen.has(`${origin}\0${value}`)) continue;
    seen.add(`${origin}\0${value}`);
    found.push({ scope, file: origin.startsWith('file:') ? origin.slice('file:'.length) : undefined, value });
  }
  return found;
}

function stays(key: string, value: string, why: string): DepotError {
  const what = `cannot remove ${key} = ${printable(value)}`;
  return new DepotError('denied', { what, why, cure: 'remove it there by hand' });
}

/** For git's POSIX extended regular expressions. */
function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
