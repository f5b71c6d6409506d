import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { printable } from '../../backends/errors.ts';
import { formatLocation, lfsUrl } from '../../backends/location.ts';
import { shellWord } from '../../backends/shell-word.ts';
import { type Config, placeOfSetting, readConfig, type Setting } from '../config.ts';
import { editConfig } from '../config-edit.ts';
import { type Repository, runGit } from '../git.ts';
import type { Operation } from '../protocol.ts';
import { MATCH_KEY } from '../start.ts';
import { committedFile, groupAdvice, makeStore, type NewStoreOptions } from './new-store.ts';
import { allow } from './trust.ts';

/** Makes the store, then lets the repository name it in `.lfsconfig`. Nothing is written before the store works. */
export async function init(typed: string, options: NewStoreOptions, print: (line: string) => void): Promise<void> {
  const cwd = process.cwd();
  const { file, worktree, repository } = await committedFile('.lfsconfig');
  const before = await readConfig(cwd, repository);
  const made = await makeStore(typed, options, { folders: [worktree, repository.commonDir], config: before, print });
  const { location } = made;
  const name = formatLocation(location);
  const url = lfsUrl(location);

  const { stdout } = await runGit(['config', '--file', file, '--get', 'lfs.url'], { cwd });
  // A blank at its end is part of it.
  const previous = stdout.replace(/\r?\n$/, '');
  if (previous !== url) await editConfig(['--file', file, '--replace-all', 'lfs.url', url], cwd);
  print(`${previous === url ? 'In .lfsconfig already' : 'Written to .lfsconfig'}: lfs.url = ${url}`);
  await allow(location, print);

  const config = await readConfig(cwd, repository);
  for (const warning of warnings(config, previous, url)) print(`\nwarning: ${warning}`);
  for (const line of groupAdvice(made)) print(line);
  print('\nNext:');
  for (const step of await nextSteps(worktree, repository, config)) print(`  ${step}`);
  print('Everybody else, once:');
  print(`  lfs-depot install\n  lfs-depot trust ${shellWord(name)}`);
  if (location.kind === 'webdav') print(`  lfs-depot login ${shellWord(name)}`);
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
