import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { QEMU, whyNoQemu } from '../../scripts/packaging/embed.ts';
import { parseTarget, programName, type TargetName } from '../../scripts/packaging/targets.ts';
import { findProgram } from '../servers/installed.ts';

/** Makes the programs with scripts/package, of the sources as they are. Their absolute paths are returned. */
export function packaged<Names extends TargetName>(...names: Names[]): Record<Names, string> {
  execFileSync('scripts/package', names, { stdio: ['ignore', 'ignore', 'inherit'] });
  const paths = names.map((name) => [name, resolve('dist/package', name, programName(parseTarget(name)))]);
  return Object.fromEntries(paths);
}

/** Why no programs can be made here; undefined when they can. */
export function whyNoPackaging(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'programs are made on Linux on x64 only';
  const missing = ['llvm-strip', '7z', 'unzip', 'xz'].filter((program) => findProgram(program) === undefined);
  return missing.length > 0 ? `${missing.join(', ')} is not installed` : undefined;
}

/** Why a program for Linux cannot be made and run here. */
export function whyNotRun(name: 'linux-x64' | 'linux-arm64'): string | undefined {
  return whyNoPackaging() ?? (name === 'linux-arm64' ? whyNoQemu() : undefined);
}

/** The words that start a program for Linux here. */
export function startWords(name: TargetName, program: string): string[] {
  return name === 'linux-arm64' ? [...QEMU, program] : [program];
}

/** Milliseconds for packaging, which may fetch a few hundred megabytes from npm. */
export const PACKAGING = 600_000;
