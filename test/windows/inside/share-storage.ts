import { mkdtempSync } from 'node:fs';
import { openFolder } from '../../../backends/folder/folder.ts';
import { formatLocation, parseLocation } from '../../../backends/location.ts';
import { diskStorage } from '../../conformance/disk-storage.ts';
import { ANCHOR, type Storage, TEMP } from '../../conformance/storage.ts';

/** A storage in a fresh folder of a share, `\\server\share`, opened as openBackend opens it on Windows. */
export function shareStorage(share: string): Storage {
  const home = mkdtempSync(`${share}\\depot-storage-`);
  const root = `${home}\\store`;
  const location = formatLocation(parseLocation(root, { platform: 'win32', home: '' }));
  return {
    ...diskStorage(root, home),
    location,
    open: () => openFolder(location, { location, anchor: ANCHOR, temp: TEMP, platform: 'win32', reads: 'remote' }),
  };
}
