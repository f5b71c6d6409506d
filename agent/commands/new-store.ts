import { lstatSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DepotError } from '../../backends/errors.ts';
import { covers, formatLocation, type Location } from '../../backends/location.ts';
import { shellWord } from '../../backends/shell-word.ts';
import type { Config } from '../config.ts';
import { type Creation, createStore } from '../create-store.ts';
import { findRepository } from '../git.ts';
import { shareBehind } from '../mapped-drive.ts';
import { folderHere } from '../mounts.ts';
import { surroundings } from '../open-store.ts';
import { resolveTyped } from '../typed-location.ts';

export interface NewStoreOptions {
  /** Take over the objects of lfs-folderstore or git-lfs-webdav. */
  adopt: boolean;
  /** Leave a mapped network drive as it was typed. */
  keepDrive: boolean;
}

export interface NewStore extends Creation {
  location: Location;
}

interface Around {
  /** Of the repository: a store must not lie in them. */
  folders: string[];
  config: Config;
  print: (line: string) => void;
}

/**
 * A file of the repository at hand that is to be written and committed.
 * @throws DepotError `configuration` where none can be.
 */
export async function committedFile(name: string) {
  const repository = await findRepository(process.cwd());
  const { worktree } = repository;
  if (worktree === undefined) {
    throw new DepotError('configuration', {
      what: `cannot write ${name} here`,
      why: 'this is a bare repository, or the inside of .git',
      cure: `run it in the folder of a clone that has files checked out, and push the ${name} from there`,
    });
  }
  const file = join(worktree, name);
  refuseLink(file);
  return { file, worktree, repository };
}

/** Makes sure that a working store stands at the location that was typed, and tells of it. */
export async function makeStore(typed: string, options: NewStoreOptions, around: Around): Promise<NewStore> {
  const { folders, config, print } = around;
  const location = options.keepDrive ? resolveTyped(typed) : withoutDrive(resolveTyped(typed), print);
  await refuseInside(location, folders, config);
  const creation = await createStore(location, options.adopt, config);
  print(`${STANDING[creation.outcome](creation)}: ${formatLocation(location)}`);
  print('It was written to, read back and cleaned up: it works.');
  return { ...creation, location };
}

const STANDING: Record<Creation['outcome'], (creation: Creation) => string> = {
  created: () => 'Made a new store',
  adopted: ({ objects, bytes }) => `Adopted a store of ${objects} objects, ${(bytes / 1e6).toFixed(1)} MB`,
  existing: () => 'Found the store',
};

/** Colleagues have other drive letters, or none. */
function withoutDrive(location: Location, print: (line: string) => void): Location {
  const share = shareBehind(location, surroundings());
  if (share) {
    print(
      `${formatLocation(location)} is ${formatLocation(share)} on the network, and the same on every computer by that name:`,
    );
    print('that name is used. (--keep-drive keeps the letter, for teams in which all have the same.)\n');
  } else if (process.platform === 'win32' && location.kind === 'folder') {
    print(
      `note: ${location.path.slice(0, 2)} is a drive of this computer; colleagues reach a share by //server/share/folder.\n`,
    );
  }
  return share ?? location;
}

/** A new folder is usually its maker's alone; a team finds out at the second person's first push. */
export function groupAdvice({ outcome, location }: NewStore): string[] {
  if (outcome !== 'created') return [];
  if (location.kind !== 'folder' || process.platform === 'win32') return [];
  if ((statSync(location.path).mode & 0o022) !== 0) return [];
  const path = shellWord(location.path);
  return [
    '\nnote: as it is, only you can push to it. If others on this filesystem should, give it to a group of yours:',
    `  chgrp -R <group> ${path} && chmod -R g+rwX ${path} && find ${path} -type d -exec chmod g+s {} +`,
  ];
}

/** Through a link, somebody's clone could have us write into another file, like the user's own git config. */
function refuseLink(file: string): void {
  const stats = lstatSync(file, { throwIfNoEntry: false });
  if (!stats || stats.isFile()) return;
  const cure = `remove it, then try again: git rm ${shellWord(file)}`;
  throw new DepotError('configuration', { what: `cannot write ${file}`, why: 'it is not a regular file', cure });
}

/** A store in the worktree would be committed, and one in .git would go away with the clone. */
async function refuseInside(location: Location, folders: string[], config: Config): Promise<void> {
  const inner = await whereItLies(location, config);
  for (const folder of folders) {
    // On a mapped drive, this is the share behind it.
    const outer = resolveTyped(realpathSync.native(folder));
    if (!covers(outer, inner, process.platform)) continue;
    throw new DepotError('configuration', {
      what: `cannot make a store at ${formatLocation(location)}`,
      why: 'it lies inside this very repository',
      cure: 'choose a folder that everybody in the team can reach, outside of the clone',
    });
  }
}

/** Without links, mounts and mapped drives in between. */
async function whereItLies(location: Location, config: Config): Promise<Location> {
  const around = surroundings();
  if (location.kind === 'webdav') return location;
  if (around.platform === 'win32') return shareBehind(location, around) ?? location;
  return resolveTyped(realPath(await folderHere(location, config, around)));
}

/** Where a path leads once symbolic links are followed, as far as it exists. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realPath(parent), basename(path));
  }
}
