import { mkdtempSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { Calls } from '../../backends/folder/calls.ts';
import { openFolder } from '../../backends/folder/folder.ts';
import { diskStorage } from './disk-storage.ts';
import { ANCHOR, type Storage, TEMP } from './storage.ts';

/** A storage in a fresh folder inside of `parent`. */
export function folderStorage(parent: string, calls?: Calls): Storage {
  const home = realpathSync(mkdtempSync(join(parent, 'depot-storage-')));
  const root = join(home, 'store');
  return {
    ...diskStorage(root, home),
    location: root,
    open: () =>
      openFolder(root, {
        location: root,
        anchor: ANCHOR,
        temp: TEMP,
        platform: process.platform,
        ...(calls && { calls }),
      }),
  };
}
