import { DepotError } from '../backends/errors.ts';
import { formatLocation, type Location, parseLocation, type Surroundings } from '../backends/location.ts';
import { folderOf } from '../backends/open.ts';
import type { Mount } from '../backends/share/mount-table.ts';
import type { Config, Setting } from './config.ts';

/**
 * Where the user says that a share is mounted: `//server/share=/mnt/folder`, several of them. For what the system's own table
 * does not tell: a file manager's mount, one that is made when it is looked at, another name of the server.
 */
export const MOUNT = 'depot.mount';

/**
 * The user's list of mounts; of two entries for one share the later one counts, as everywhere in git's configuration.
 * @throws DepotError `configuration` for an entry that cannot be read, rather than a folder other than the one meant.
 */
export function mountsIn(config: Config, around: Surroundings): Mount[] {
  // Windows opens a share by its name.
  if (around.platform === 'win32') return [];
  return config
    .all(MOUNT)
    .map((setting) => parseEntry(setting, around))
    .reverse();
}

/** Where a folder or share is on this computer. @throws DepotError as `folderOf`, and for an entry that cannot be read. */
export function folderHere(location: Exclude<Location, { kind: 'webdav' }>, config: Config, around: Surroundings) {
  return folderOf(location, { platform: around.platform, mounts: mountsIn(config, around) });
}

function parseEntry({ value, scope }: Setting, around: Surroundings): Mount {
  // A share's name may hold an equals sign: the one that counts stands before an absolute path.
  const [, share = '', folder = ''] = /^(.*?)=((?:\/|~\/|~$).*)$/s.exec(value) ?? [];
  const read: [Location, Location] | undefined = share ? tryBoth(share, folder, around) : undefined;
  if (read && read[0].kind === 'share' && read[0].path !== '' && read[1].kind === 'folder') {
    return { share: read[0], folder: read[1].path };
  }
  throw new DepotError('configuration', {
    what: `cannot use ${MOUNT} = ${value} in ${scope} git config`,
    why: 'it does not name a share and the folder that it is mounted on',
    cure: `write it like: git config --global --add ${MOUNT} '//server/share=/mnt/share'\nto see where it is set: git config --show-origin --get-all ${MOUNT}`,
  });
}

function tryBoth(share: string, folder: string, around: Surroundings): [Location, Location] | undefined {
  try {
    const read: [Location, Location] = [parseLocation(share, around), parseLocation(folder, around)];
    // `//x` would be another share.
    return formatLocation(read[1]).startsWith('//') ? undefined : read;
  } catch {
    return undefined;
  }
}
