import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { test } from 'vitest';
import { startGitForWine } from './git-for-wine.ts';
import { COMPILER, hasCompiler } from './windows-programs.ts';
import { testOnWindows } from './windows-tests.ts';
import { makeWine, whyNoWine, windowsPath } from './wine.ts';

/** Runs test files that need the program and git under Wine, one after another. @param files relative to `test/`. */
export async function testProgramOnWindows(...files: string[]): Promise<void> {
  const lacking = whyNoWine() ?? (hasCompiler() ? undefined : `git.exe cannot be made without ${COMPILER}`);
  if (lacking !== undefined) {
    for (const file of files) test.skip(`${file} on Windows: ${lacking}`, () => {});
    return;
  }
  makeWine();
  execFileSync('scripts/package', ['win-x64'], { stdio: ['ignore', 'ignore', 'inherit'] });
  const program = windowsPath(resolve('dist/package/win-x64/lfs-depot.exe'));
  const git = await startGitForWine();
  try {
    const options = { path: [git.folder], env: { ...git.env, LFS_DEPOT_UNDER_TEST: program } };
    for (const file of files) await testOnWindows(file, options);
  } finally {
    git.stop();
  }
}
