import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, sep } from 'node:path';
import type { Storage } from './storage.ts';

/**
 * The back door into a storage whose root is a folder that this process can reach, whatever serves it.
 * @param home is removed in the end: `root` or a folder around it.
 * @param adopt hands a new path to the user that serves the storage.
 */
export function diskStorage(
  root: string,
  home: string,
  adopt: (path: string) => void = () => {},
): Omit<Storage, 'open' | 'location'> {
  const inside = (path: string): string => join(root, path);
  const setAge = (path: string, age: number): void => {
    const then = new Date(Date.now() - age);
    utimesSync(inside(path), then, then);
  };
  const makeFolder = (folder: string): void => {
    const first = mkdirSync(folder, { recursive: true });
    if (first === undefined) return;
    for (let made = folder; made.length >= first.length; made = dirname(made)) adopt(made);
  };
  let unmounted = 0;
  return {
    plant(path, content, age = 0) {
      makeFolder(dirname(inside(path)));
      writeFileSync(inside(path), content);
      adopt(inside(path));
      setAge(path, age);
    },
    plantFolder(path, age = 0) {
      makeFolder(inside(path));
      setAge(path, age);
    },
    setAge,
    content: (path) =>
      statSync(inside(path), { throwIfNoEntry: false })?.isFile() ? readFileSync(inside(path)) : undefined,
    everything: () => (existsSync(root) ? namesBelow(root) : undefined),
    unmount(how) {
      // Windows keeps the name of what somebody has open.
      if (process.platform === 'win32') renameSync(root, `${root}-unmounted-${unmounted++}`);
      else rmSync(root, { recursive: true });
      if (how === 'empty') makeFolder(root);
    },
    dropFolder: (path) => rmSync(inside(path), { recursive: true, force: true }),
    dispose: () => rmSync(home, { recursive: true, force: true }),
  };
}

/** With forward slashes, like the paths of a backend. */
function namesBelow(root: string): string[] {
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' });
  return names.map((name) => name.replaceAll(sep, '/')).sort();
}
