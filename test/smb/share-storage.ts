import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openFolder } from '../../backends/folder/folder.ts';
import { diskStorage } from '../conformance/disk-storage.ts';
import { ANCHOR, type Storage, TEMP } from '../conformance/storage.ts';
import { unmountShare } from './share.ts';

/**
 * A storage in a fresh folder of a share that `mount` mounts at `point`, and that really is unmounted where a test wants it to
 * go away: what is open then goes on, as `umount --lazy` has it, and the mount point is an empty folder of the local disk.
 */
export function shareStorage(point: string, mount: () => void): Storage {
  const home = mkdtempSync(join(point, 'depot-storage-'));
  const root = join(home, 'store');
  let mounted = true;
  return {
    ...diskStorage(root, home),
    location: root,
    open: () => openFolder(root, { location: root, anchor: ANCHOR, temp: TEMP, platform: process.platform }),
    unmount(how) {
      if (mounted) unmountShare(point);
      mounted = false;
      if (how === 'empty') mkdirSync(root, { recursive: true });
    },
    dispose() {
      if (!mounted) {
        rmSync(home, { recursive: true, force: true });
        mount();
      }
      if (existsSync(home)) rmSync(home, { recursive: true, force: true });
    },
  };
}
