import { existsSync, lstatSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DepotError, printable } from '../../backends/errors.ts';
import { covers, formatLocation, type Location, lfsUrl } from '../../backends/location.ts';
import { shellWord } from '../../backends/shell-word.ts';
import { type Config, placeOfSetting, readConfig, type Setting } from '../config.ts';
import { type Creation, createStore } from '../create-store.ts';
import { findRepository, git, type Repository, runGit } from '../git.ts';
import { shareBehind } from '../mapped-drive.ts';
import { folderHere } from '../mounts.ts';
import { surroundings } from '../open-store.ts';
import type { Operation } from '../protocol.ts';
import { MATCH_KEY } from '../start.ts';
import { resolveTyped } from '../typed-location.ts';
import { allow } from './trust.ts';

export interface InitOptions {
  /** Take over the objects of lfs-folderstore or git-lfs-webdav. */
  adopt: boolean;
  /** Leave a mapped network drive as it was typed. */
  keepDrive: boolean;
}

/** Makes the store, then lets the repository name it in `.lfsconfig`. Nothing is written before the store works. */
export async function init(typed: string, options: InitOptions, print: (line: string) => void): Promise<void> {
  const cwd = process.cwd();
  const repository = await findRepository(cwd);
  const { worktree } = repository;
  if (worktree === undefined) {
    const cure = 'run it in the folder of a clone that has files checked out, and push the .lfsconfig from there';
    throw new DepotError('configuration', {
      what: 'cannot init here',
      why: 'this is a bare repository, or the inside of .git',
      cure,
    });
  }
  const location = options.keepDrive ? resolveTyped(typed) : withoutDrive(resolveTyped(typed), print);
  const before = await readConfig(cwd, repository);
  await refuseInside(location, [worktree, repository.commonDir], before);
  const name = formatLocation(location);
  const url = lfsUrl(location);

  const file = join(worktree, '.lfsconfig');
  refuseLink(file);

  const store = await createStore(location, options.adopt, before);
  print(`${STANDING[store.outcome](store)}: ${name}`);
  print('It was written to, read back and cleaned up: it works.');

  const { stdout: previous } = await runGit(['config', '--file', file, '--get', 'lfs.url'], { cwd });
  if (previous.trimEnd() !== url) await git(['config', '--file', file, '--replace-all', 'lfs.url', url], { cwd });
  print(`${previous.trimEnd() === url ? 'In .lfsconfig already' : 'Written to .lfsconfig'}: lfs.url = ${url}`);
  await allow(location, print);

  const config = await readConfig(cwd, repository);
  for (const warning of warnings(config, previous.trim(), url)) print(`\nwarning: ${warning}`);
  if (store.outcome === 'created') for (const line of groupAdvice(location)) print(line);
  print('\nNext:');
  for (const step of await nextSteps(worktree, repository, config)) print(`  ${step}`);
  print('Everybody else, once:');
  print(`  lfs-depot install\n  lfs-depot trust ${shellWord(name)}`);
  if (location.kind === 'webdav') print(`  lfs-depot login ${shellWord(name)}`);
}

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

const STANDING: Record<Creation['outcome'], (creation: Creation) => string> = {
  created: () => 'Made a new store',
  adopted: ({ objects, bytes }) => `Adopted a store of ${objects} objects, ${(bytes / 1e6).toFixed(1)} MB`,
  existing: () => 'Found the store',
};

/** A new folder is usually its maker's alone; a team finds out at the second person's first push. */
function groupAdvice(location: Location): string[] {
  if (location.kind !== 'folder' || process.platform === 'win32') return [];
  if ((statSync(location.path).mode & 0o022) !== 0) return [];
  const path = shellWord(location.path);
  return [
    '\nnote: as it is, only you can push to it. If others on this filesystem should, give it to a group of yours:',
    `  chgrp -R <group> ${path} && chmod -R g+rwX ${path} && find ${path} -type d -exec chmod g+s {} +`,
  ];
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

/** Through a link, somebody's clone could have us write into another file, like the user's own git config. */
function refuseLink(file: string): void {
  const stats = lstatSync(file, { throwIfNoEntry: false });
  if (!stats || stats.isFile()) return;
  const cure = `remove it, then try again: git rm ${shellWord(file)}`;
  throw new DepotError('configuration', { what: `cannot write ${file}`, why: 'it is not a regular file', cure });
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

function warnings(config: Config, previous: string, url: string): string[] {
  const found: string[] = [];
  if (previous !== '' && previous !== url) {
    found.push(
      `.lfsconfig said ${printable(previous)} before. Objects that are only there are not copied by this;\n` +
        'fetch them first (git lfs fetch --all with the old .lfsconfig), then: git lfs push --all origin',
    );
  }
  for (const operation of ['download', 'upload'] satisfies Operation[]) {
    const setting = overriding(operation, config);
    if (!setting || setting.value === url) continue;
    const { key, value } = setting;
    found.push(
      `for every ${operation}, ${key} in ${placeOfSetting(setting)} goes before, and says\n` +
        `${printable(value)}: remove it`,
    );
  }
  return found;
}

/** What counts instead of the lfs.url in `.lfsconfig`. */
function overriding(operation: Operation, config: Config): Setting | undefined {
  const pushUrl = operation === 'upload' ? config.get('lfs.pushurl') : undefined;
  return pushUrl ?? config.get('lfs.url');
}

async function nextSteps(worktree: string, repository: Repository, config: Config): Promise<string[]> {
  const steps: string[] = [];
  if (!config.get(MATCH_KEY)) steps.push('lfs-depot install               (not done yet on this computer)');
  const attributes = await runGit(['grep', '-q', '--untracked', 'filter=lfs', '--', '*.gitattributes'], {
    cwd: worktree,
  });
  if (attributes.status !== 0)
    steps.push('git lfs track "*.psd"           (choose your own file kinds; none are tracked yet)');
  steps.push('git add .lfsconfig .gitattributes', 'git commit -m "Keep LFS objects with lfs-depot"');
  const objects = join(repository.commonDir, 'lfs', 'objects');
  if (existsSync(objects) && readdirSync(objects).some((entry) => /^[0-9a-f]{2}$/.test(entry))) {
    steps.push('git lfs push --all origin       (this clone has LFS objects already: bring them to the store)');
  }
  steps.push('git push');
  return steps;
}
