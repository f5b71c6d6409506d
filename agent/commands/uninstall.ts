import { unsetEverywhere } from '../config-edit.ts';
import { ARGS_KEY, FILE_KEYS, MATCH_KEY, PATH_KEY } from '../start.ts';
import type { Scope } from './install.ts';

/** Takes back what `install` wrote, and nothing else. */
export async function uninstall(scope: Scope, print: (line: string) => void): Promise<void> {
  const removed: string[] = [];
  for (const key of [PATH_KEY, ARGS_KEY, MATCH_KEY, ...FILE_KEYS]) {
    if ((await unsetEverywhere(key, [scope], () => true)).length > 0) removed.push(key);
  }
  if (removed.length === 0) {
    print(`There was nothing of lfs-depot in your ${scope} git config.`);
    return;
  }
  print(`Removed from your ${scope} git config:`);
  for (const key of removed) print(`  ${key}`);
  print('Stores, repositories and the locations you trust (`lfs-depot trust --list`) are as they were.');
  print('Repositories with lfs.url = depot::… cannot fetch or push objects until it is installed again.');
}
