import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Calls } from '../../backends/folder/calls.ts';
import { openFolder } from '../../backends/folder/folder.ts';
import { ANCHOR, type Storage, TEMP } from './storage.ts';

/** A storage that lies in a folder which this process can reach, whatever the backend is that serves it. */
export function folderStorage(parent: string, calls?: Calls): Storage {
  const home = realpathSync(mkdtempSync(join(parent, 'depot-storage-')));
  const root = join(home, 'store');
  const inside = (path: string): string => join(root, path);
  const setAge = (path: string, age: number): void => {
    const then = new Date(Date.now() - age);
    utimesSync(inside(path), then, then);
  };
  return {
    location: root,
    open: () =>
      openFolder(root, {
        location: root,
        anchor: ANCHOR,
        temp: TEMP,
        platform: process.platform,
        ...(calls && { calls }),
      }),
    plant(path, content, age = 0) {
      mkdirSync(dirname(inside(path)), { recursive: true });
      writeFileSync(inside(path), content);
      setAge(path, age);
    },
    plantFolder(path, age = 0) {
      mkdirSync(inside(path), { recursive: true });
      setAge(path, age);
    },
    setAge,
    content: (path) =>
      statSync(inside(path), { throwIfNoEntry: false })?.isFile() ? readFileSync(inside(path)) : undefined,
    everything: () => (existsSync(root) ? readdirSync(root, { recursive: true, encoding: 'utf8' }).sort() : undefined),
    unmount(how) {
      rmSync(root, { recursive: true });
      if (how === 'empty') mkdirSync(root);
    },
    dropFolder: (path) => rmSync(inside(path), { recursive: true, force: true }),
    dispose: () => rmSync(home, { recursive: true, force: true }),
  };
}
