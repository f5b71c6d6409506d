import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { QEMU } from '../../scripts/packaging/embed.ts';
import { parseTarget, programName, type TargetName } from '../../scripts/packaging/targets.ts';

/** Makes the programs with scripts/package, of the sources as they are. Their absolute paths are returned. */
export function packaged<Names extends TargetName>(...names: Names[]): Record<Names, string> {
  execFileSync('scripts/package', names, { stdio: ['ignore', 'ignore', 'inherit'] });
  const paths = names.map((name) => [name, resolve('dist/package', name, programName(parseTarget(name)))]);
  return Object.fromEntries(paths);
}

/** The words that start a program for Linux here. */
export function startWords(name: TargetName, program: string): string[] {
  return name === 'linux-arm64' ? [...QEMU, program] : [program];
}

/** Milliseconds for packaging, which may fetch a few hundred megabytes from npm. */
export const PACKAGING = 600_000;
