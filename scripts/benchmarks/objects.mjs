import { execFileSync } from 'node:child_process';
import { existsSync, linkSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { filesBelow } from '../../test/sandbox.ts';

/** Bytes above which a file does not pass through this process. */
const LARGE = 64 * 1024 * 1024;

/**
 * A clone in `clone` of a sandbox, with objects of its own, committed; the same files in `plain`, for tools. Its remote is
 * the sandbox's `remote.git`, or the one given.
 */
export async function cloneWith(box, { count, size }, remote = box.path('remote.git')) {
  await box.git('.', 'init', '-q', '--bare', remote);
  await box.git('.', 'init', '-q', 'clone');
  await box.git('clone', 'lfs', 'track', '*.bin');
  await box.git('clone', 'remote', 'add', 'origin', remote);
  mkdirSync(box.path('plain'));
  for (let index = 0; index < count; index++) {
    const file = box.path('clone', `${index}.bin`);
    // Random, so that nothing on the way compresses.
    if (size > LARGE) execFileSync('sh', ['-c', 'head -c "$2" /dev/urandom >"$1"', 'sh', file, String(size)]);
    else box.write(file, size);
    linkSync(file, box.path('plain', `${index}.bin`));
  }
  await box.git('clone', 'add', '.');
  await box.git('clone', 'commit', '-qm', 'objects');
  return box.path('clone', '.git', 'lfs', 'objects');
}

/** Lays a link to each object into a folder: what an agent that does nothing says that it has fetched. */
export function layOut(objects, folder) {
  fresh(folder);
  for (const path of objectsIn(objects)) linkSync(join(objects, path), join(folder, basename(path)));
}

/** Takes the objects away; they can be laid out from there. */
export function setAside(objects, aside) {
  if (!existsSync(aside)) renameSync(objects, aside);
  removeObjects(objects);
}

export function removeObjects(folder) {
  empty(folder, /^[0-9a-f]{2}$/);
}

export function expectCount(folder, count) {
  const found = objectsIn(folder).length;
  if (found !== count) throw new Error(`${folder} has ${found} objects, not ${count}`);
}

function objectsIn(folder) {
  return filesBelow(folder).filter((path) => /(^|\/)[0-9a-f]{64}$/.test(path));
}

/** An empty folder in place of whatever is there. */
export function fresh(path) {
  mkdirSync(path, { recursive: true });
  empty(path, /./);
}

const MANY = 100;
let emptied = 0;

/**
 * Where there is much, it is moved away, and removed with its sandbox: before ext4 makes a file, it passes over all inodes of
 * that group that were freed in the last minutes, so that who comes next would pay for what was removed.
 */
function empty(folder, what) {
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => what.test(name)) : [];
  const aside = `${folder}.emptied-${emptied++}`;
  if (names.length > MANY) mkdirSync(aside);
  for (const name of names) {
    if (names.length > MANY) renameSync(join(folder, name), join(aside, name));
    else rmSync(join(folder, name), { recursive: true });
  }
}
