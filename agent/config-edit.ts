import { DepotError, printable } from '../backends/errors.ts';
import { git, runGit } from './git.ts';

/** So often a file that another git is writing is tried again: for 4 to 7 seconds in all. Git itself gives up at once. */
const LOCKED = { retries: 20, minTimeout: 20, maxTimeout: 200, factor: 2, randomize: true };

/**
 * Runs `git config` to change something, and waits while another process changes the same file.
 * @param args what follows `git config`.
 * @throws DepotError `configuration` with git's own words when it fails.
 */
export async function editConfig(args: string[], cwd: string): Promise<void> {
  // Git tells the user's language where it is not told otherwise.
  const edit = () => git(['config', ...args], { cwd, env: { ...process.env, LC_ALL: 'C' } });
  const { default: pRetry } = await import('p-retry');
  try {
    await pRetry(edit, { ...LOCKED, shouldRetry: ({ error }) => lockedFile(error) !== undefined });
  } catch (error) {
    const file = lockedFile(error);
    if (file === undefined) throw error;
    const { what, why } = error as DepotError;
    const cure = `another git is changing that file, or was ended while it did: when none runs, remove ${file}.lock, then try again`;
    throw new DepotError('configuration', { what, why, cure, cause: error });
  }
}

/** The file that another git has locked, if that is why it failed. */
function lockedFile(error: unknown): string | undefined {
  if (!(error instanceof DepotError)) return undefined;
  return /could not lock config file (.+): File exists/.exec(error.why)?.[1];
}

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
  await editConfig(['--file', file, '--unset-all', key, `^${escaped(value)}$`], process.cwd());
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
