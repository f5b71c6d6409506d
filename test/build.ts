import { execFileSync } from 'node:child_process';

/** Builds the program once before all tests: they run what users run. */
export function setup(): void {
  execFileSync('scripts/build', { stdio: ['ignore', 'ignore', 'inherit'] });
}
