import type { Backend } from './backend.ts';
import { DepotError } from './errors.ts';
import { openFolder } from './folder/folder.ts';
import { retrying } from './layers/retry.ts';
import { formatLocation, type Location } from './location.ts';
import type { Retries } from './retries.ts';
import type { Mount } from './share/mount-table.ts';
import type { WebOptions } from './webdav/options.ts';

export interface OpenOptions {
  platform: NodeJS.Platform;
  /** A file, relative to the root, that stands in every intact storage: without it the storage is "not mounted". */
  anchor: string;
  /** Where temp files live, relative to the root. */
  temp: string;
  /** Where the user says that shares are mounted, for systems that do not open `//server/share` by themselves. */
  mounts?: readonly Mount[];
  /** The network and the user, for a location that is reached by HTTP. */
  web?: WebOptions | undefined;
  /** False where what was put need not survive a loss of power. Default true. What a web server does is its own affair. */
  durable?: boolean;
  /** Default: nothing is called again. */
  retries?: Retries | undefined;
}

/**
 * The backend for a location, with its layers. Touches nothing of the storage yet.
 * @throws DepotError `configuration` for a location that cannot be opened on this platform, `unreachable` for a share that
 * is not mounted.
 */
export async function openBackend(location: Location, options: OpenOptions): Promise<Backend> {
  const name = formatLocation(location);
  if (location.kind === 'webdav') {
    const { anchor, temp, web } = options;
    if (!web) throw new Error('a location on the web was opened without options for the web');
    // Loaded late: the modules of the network cost a start three times what those of a folder do.
    const { openWebdav } = await import('./webdav/webdav.ts');
    return layered(openWebdav(location.url, { location: name, anchor, temp, web }), options);
  }
  const root = await folderOf(location, options);
  // A mounted share that is named by its mount point counts as a disk: rather a slow push than a damaged object that is
  // passed over.
  const reads = location.kind === 'share' ? 'remote' : 'local';
  return layered(openFolder(root, { ...options, location: name, reads }), options);
}

function layered(backend: Backend, { retries }: OpenOptions): Backend {
  return retries ? retrying(backend, retries) : backend;
}

/**
 * Where a folder or share is on this computer, as its own programs write it, with forward slashes.
 * @throws DepotError as `openBackend`.
 */
export async function folderOf(
  location: Exclude<Location, { kind: 'webdav' }>,
  { platform, mounts = [] }: Pick<OpenOptions, 'platform' | 'mounts'>,
): Promise<string> {
  const name = formatLocation(location);
  const refused = (why: string, cure: string): DepotError =>
    new DepotError('configuration', { what: `cannot open ${name}`, why, cure });
  const windows = platform === 'win32';
  if (location.kind === 'share') {
    if (location.path === '') throw refused('it names a server without a share', 'write it like //server/share/lfs');
    if (windows) return name;
    const { mountedFolder } = await import('./share/mounted.ts');
    return mountedFolder(location, mounts, platform);
  }
  const hasDrive = /^[A-Z]:/.test(location.path);
  if (hasDrive && !windows) {
    const cure = 'use a location that exists on every machine of the team, like //server/share/lfs';
    throw refused('a drive letter means something on Windows only', cure);
  }
  if (!hasDrive && windows) {
    const cure = 'write the drive too, like D:/lfs, or a share, //server/share/lfs';
    throw refused('on Windows a folder needs its drive letter', cure);
  }
  return location.path;
}
