import { execFileSync } from 'node:child_process';

/** Builds the program once before all tests: they run what users run. */
export function setup(): void {
  // In the guest of scripts/test-smb, which cannot write here, it is there already.
  if (process.env.DEPOT_TEST_BUILT) return;
  execFileSync('scripts/build', { stdio: ['ignore', 'ignore', 'inherit'] });
}
