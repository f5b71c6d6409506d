import { DepotError, printable } from '../../backends/errors.ts';
import { covers, formatLocation, type Location, parseLocation } from '../../backends/location.ts';
import { type Config, readConfig, type Setting } from '../config.ts';
import { resolveEndpoint, surroundings } from '../connect.ts';
import { findEndpoint } from '../endpoint.ts';
import { findRepository, git, runGit } from '../git.ts';
import { isTrusted, TRUSTED, trustedSettings } from '../trust.ts';
import { resolveTyped } from '../typed-location.ts';

export interface TrustOptions {
  list?: boolean;
  remove?: string;
  json?: boolean;
}

/** Allows a location (default: the one of the repository at hand), lists the allowed ones, or takes one back. */
export async function trust(typed: string | undefined, options: TrustOptions, print: (line: string) => void) {
  const cwd = process.cwd();
  const chosen = [typed !== undefined, options.list === true, options.remove !== undefined].filter(Boolean).length;
  if (chosen > 1 || (options.json && !options.list)) {
    const why = 'a location, --list and --remove exclude each other, and --json goes with --list';
    throw new DepotError('configuration', { what: 'cannot tell what to do', why, cure: 'see: lfs-depot trust --help' });
  }
  if (options.list) return list(await readConfig(cwd, undefined), options.json === true, print);
  if (options.remove !== undefined) return remove(options.remove, print);
  const location = typed === undefined ? await ofRepository(cwd) : resolveTyped(typed);
  await allow(location, print);
}

/** Adds a location to the user's own git config, unless it is covered already. */
export async function allow(location: Location, print: (line: string) => void): Promise<void> {
  const cwd = process.cwd();
  const name = formatLocation(location);
  if (isTrusted(location, await readConfig(cwd, undefined), surroundings())) {
    print(`Trusted already: ${name}`);
    return;
  }
  await git(['config', '--global', '--add', TRUSTED, name], { cwd });
  print(`Trusted from now on, with everything below it: ${name}`);
}

async function ofRepository(cwd: string): Promise<Location> {
  const repository = await findRepository(cwd);
  const config = await readConfig(cwd, repository);
  const endpoint = findEndpoint({
    operation: 'download',
    remote: '',
    config,
    argument: undefined,
    environment: undefined,
  });
  return resolveEndpoint(endpoint, repository.worktree ?? cwd);
}

function list(config: Config, json: boolean, print: (line: string) => void): void {
  const settings = trustedSettings(config);
  if (json)
    print(
      JSON.stringify(
        settings.map(({ scope, value }) => ({ location: value, scope })),
        null,
        2,
      ),
    );
  else if (settings.length === 0) print('No location is trusted yet.');
  else for (const { scope, value } of settings) print(`${printable(value)}\t(${scope} git config)`);
}

async function remove(typed: string, print: (line: string) => void): Promise<void> {
  const cwd = process.cwd();
  const location = resolveTyped(typed);
  const same = trustedSettings(await readConfig(cwd, undefined)).filter((setting) => isSame(setting, location));
  if (same.length === 0) {
    throw new DepotError('configuration', {
      what: `cannot take back trust in ${formatLocation(location)}`,
      why: 'that location is not on the list',
      cure: 'see what is: lfs-depot trust --list',
    });
  }
  for (const { scope, value } of same) {
    const { status, stderr } = await runGit(['config', `--${scope}`, '--unset-all', TRUSTED, `^${escaped(value)}$`], {
      cwd,
    });
    if (status !== 0 && status !== 5) {
      const cure = `run as somebody who may change the ${scope} git config: git config --${scope} --edit`;
      throw new DepotError('denied', { what: `cannot take back trust in ${value}`, why: stderr.trim(), cure });
    }
    print(`No longer trusted: ${value} (${scope} git config)`);
  }
}

function isSame({ value }: Setting, location: Location): boolean {
  try {
    const other = parseLocation(value, surroundings());
    return covers(other, location, process.platform) && covers(location, other, process.platform);
  } catch {
    return false;
  }
}

/** For git's POSIX extended regular expressions. */
function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
