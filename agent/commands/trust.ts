import { DepotError, printable } from '../../backends/errors.ts';
import { covers, formatLocation, type Location, parseLocation } from '../../backends/location.ts';
import { type Config, readConfig } from '../config.ts';
import { editConfig, unsetEverywhere } from '../config-edit.ts';
import { defaultRemote } from '../default-remote.ts';
import { findRepository } from '../git.ts';
import { endpointHere } from '../left-alone.ts';
import { shareBehind } from '../mapped-drive.ts';
import { resolveEndpoint, surroundings } from '../open-store.ts';
import { MIRROR, mirrorNamed } from '../places/places.ts';
import type { Operation } from '../protocol.ts';
import { isTrusted, OWN_SCOPES, TRUSTED, trustedSettings } from '../trust.ts';
import { resolveTyped } from '../typed-location.ts';

export interface TrustOptions {
  list?: boolean;
  remove?: string;
  json?: boolean;
  /** Also the mirrors that the repository names. */
  mirrors?: boolean;
}

/** Allows a location (default: the one of the repository at hand), lists the allowed ones, or takes one back. */
export async function trust(typed: string | undefined, options: TrustOptions, print: (line: string) => void) {
  const cwd = process.cwd();
  if (options.list) return list(await readConfig(cwd, undefined), options.json === true, print);
  if (options.remove !== undefined) return remove(options.remove, print);
  const locations =
    typed === undefined ? await ofRepository(cwd, options.mirrors === true) : spellings(resolveTyped(typed));
  for (const location of locations) await allow(location, print);
}

/** A location, and for one on a mapped drive the share behind it too: `.lfsconfig` may name either. */
function spellings(location: Location): Location[] {
  const share = shareBehind(location, surroundings());
  return share ? [location, share] : [location];
}

/** Adds a location to the user's own git config, unless it is covered already. */
export async function allow(location: Location, print: (line: string) => void): Promise<void> {
  const cwd = process.cwd();
  const name = formatLocation(location);
  if (process.platform === 'win32' && location.kind === 'folder' && location.path.startsWith('/')) {
    throw new DepotError('configuration', {
      what: `cannot trust ${name}`,
      why: 'on Windows a folder needs its drive letter',
      cure: 'write D:/lfs, or a share like //server/share (Git Bash makes /server of //server alone)',
    });
  }
  if (isTrusted(location, await readConfig(cwd, undefined), surroundings())) {
    print(`Trusted already: ${name}`);
    return;
  }
  await editConfig(['--global', '--add', TRUSTED, name], cwd);
  print(`Trusted from now on, with everything below it: ${name}`);
}

/**
 * Where the repository at hand fetches from, where it pushes to if that is another place, and, if asked for,
 * its mirrors: who was told of one location has not decided on others.
 */
async function ofRepository(cwd: string, withMirrors: boolean): Promise<Location[]> {
  const repository = await findRepository(cwd);
  const config = await readConfig(cwd, repository);
  const remote = await defaultRemote(cwd, config);
  const placeFor = (operation: Operation): Location => {
    const endpoint = endpointHere({ operation, remote, config, argument: undefined, environment: undefined });
    return resolveEndpoint(endpoint, repository.worktree ?? cwd);
  };
  const from = placeFor('download');
  const to = placeFor('upload');
  const mirrors = (withMirrors ? config.all(MIRROR) : []).flatMap(({ value }) => readable(value, config));
  return isSame(formatLocation(to), from) ? [from, ...mirrors] : [from, to, ...mirrors];
}

/** What cannot be read is left out: `mirror list` tells of it. */
function readable(text: string, config: Config): Location[] {
  try {
    return [mirrorNamed(text, config)];
  } catch {
    return [];
  }
}

function list(config: Config, json: boolean, print: (line: string) => void): void {
  const settings = trustedSettings(config);
  if (json) {
    const entries = settings.map(({ scope, value }) => ({ location: value, scope }));
    print(JSON.stringify(entries, null, 2));
  } else if (settings.length === 0) {
    print('No location is trusted yet.');
  } else {
    for (const { scope, value } of settings) print(`${printable(value)}\t(${scope} git config)`);
  }
}

async function remove(typed: string, print: (line: string) => void): Promise<void> {
  const location = resolveTyped(typed);
  const meant = spellings(location);
  const removed = await unsetEverywhere(TRUSTED, [...OWN_SCOPES], (value) => meant.some((one) => isSame(value, one)));
  if (removed.length === 0) {
    throw new DepotError('configuration', {
      what: `cannot take back trust in ${formatLocation(location)}`,
      why: 'that location is not on the list',
      cure: 'see what is: lfs-depot trust --list',
    });
  }
  for (const { value, file } of removed) print(`No longer trusted: ${printable(value)} (was in ${file})`);
  const config = await readConfig(process.cwd(), undefined);
  if (isTrusted(location, config, surroundings())) {
    print('warning: a location above it is trusted, and with that this one too: lfs-depot trust --list');
  }
}

function isSame(value: string, location: Location): boolean {
  try {
    const other = parseLocation(value, surroundings());
    return covers(other, location, process.platform) && covers(location, other, process.platform);
  } catch {
    return false;
  }
}
