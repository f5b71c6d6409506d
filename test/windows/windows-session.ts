import { test } from 'vitest';
import { packaged } from '../package/packaged.ts';
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
  const program = windowsPath(packaged('win-x64')['win-x64']);
  const git = await startGitForWine();
  try {
    const options = { path: [git.folder], env: { ...git.env, LFS_DEPOT_UNDER_TEST: program } };
    for (const file of files) await testOnWindows(file, options);
  } finally {
    git.stop();
  }
}
