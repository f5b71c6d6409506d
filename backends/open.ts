import type { Backend } from './backend.ts';
import { DepotError } from './errors.ts';
import { openFolder } from './folder/folder.ts';
import { formatLocation, type Location } from './location.ts';
import type { WebOptions } from './webdav/options.ts';

export interface OpenOptions {
  platform: NodeJS.Platform;
  /** A file, relative to the root, that stands in every intact storage: without it the storage is "not mounted". */
  anchor: string;
  /** Where temp files live, relative to the root. */
  temp: string;
  /** The network and the user, for a location that is reached by HTTP. */
  web?: WebOptions | undefined;
}

/**
 * The backend for a location, with its layers. Touches nothing yet.
 * @throws DepotError `unsupported` or `configuration` for a location that cannot be opened on this platform.
 */
export async function openBackend(location: Location, options: OpenOptions): Promise<Backend> {
  const name = formatLocation(location);
  const what = `cannot open ${name}`;
  const windows = options.platform === 'win32';
  switch (location.kind) {
    case 'folder': {
      const hasDrive = /^[A-Z]:/.test(location.path);
      if (hasDrive && !windows) {
        const cure = 'use a location that exists on every machine of the team';
        throw new DepotError('configuration', { what, why: 'a drive letter means something on Windows only', cure });
      }
      if (!hasDrive && windows) {
        const cure = 'write the drive too, like D:/lfs, or a share, //server/share/lfs';
        throw new DepotError('configuration', { what, why: 'on Windows a folder needs its drive letter', cure });
      }
      return openFolder(location.path, { ...options, location: name });
    }
    case 'share':
      // Windows opens \\server\share by itself. Finding the mount point of a share elsewhere is not done yet.
      if (windows && location.path !== '') return openFolder(name, { ...options, location: name });
      throw new DepotError('unsupported', {
        what,
        why: windows ? 'it names a server without a share' : 'this version opens network shares on Windows only',
        cure: windows ? 'write it like //server/share/lfs' : 'mount the share and use the folder it is mounted on',
      });
    case 'webdav': {
      const { anchor, temp, web } = options;
      if (!web) throw new Error('a location on the web was opened without options for the web');
      // Loaded late: the modules of the network cost a start three times what those of a folder do.
      const { openWebdav } = await import('./webdav/webdav.ts');
      return openWebdav(location.url, { location: name, anchor, temp, web });
    }
  }
}
