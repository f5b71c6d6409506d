import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { makeWine, runInWine, whyNoWine } from '../../test/windows/wine.ts';
import { EXECUTABLE } from '../executable.ts';
import { nodeBinary } from './node-binary.ts';
import { BUILDERS, type Target } from './targets.ts';

/** How the target's own Node runs on this machine; only it can make a code cache that its like accepts. */
export type Runner = 'here' | 'qemu' | 'wine';

/** Where Debian's packages of the shape libc6-arm64-cross put the libraries that a foreign program loads. */
const ARM64_LIBRARIES = '/usr/aarch64-linux-gnu';

/** Undefined when it cannot run here: the program then has no code cache, and starts about 9 ms later. */
export function runnerOf(target: Target): Runner | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  if (target.name === 'linux-x64') return 'here';
  if (target.name === 'linux-arm64' && whyNoQemu() === undefined) return 'qemu';
  if (target.name === 'win-x64' && whyNoWine() === undefined) return 'wine';
  return undefined;
}

/** The line that starts a program for Linux on arm64 here, without the program. */
export const QEMU: readonly string[] = ['qemu-aarch64-static', '-L', ARM64_LIBRARIES];

/** Why no program for Linux on arm64 can be run here; undefined when it can. */
export function whyNoQemu(): string | undefined {
  const emulator = (process.env.PATH ?? '').split(':').some((folder) => existsSync(join(folder, QEMU[0]!)));
  if (!emulator) return 'Debian has qemu-aarch64-static in its package qemu-user-static';
  for (const library of ['libc.so.6', 'libstdc++.so.6', 'libatomic.so.1'])
    if (!existsSync(join(ARM64_LIBRARIES, 'lib', library))) return `Debian has ${library} in a package for arm64-cross`;
  return undefined;
}

/**
 * Makes `program` of `node` and `lfs-depot.cjs`, all in the folder `work`. Node itself does it, of the version that will read
 * it, because the layout of what is embedded changes between minor versions.
 */
export async function embed(work: string, target: Target): Promise<void> {
  const runner = runnerOf(target);
  const settings = {
    main: 'lfs-depot.cjs', // without a folder, because it is embedded, too
    executable: 'node',
    output: 'program',
    useCodeCache: runner !== undefined,
    ...EXECUTABLE,
  };
  writeFileSync(join(work, 'sea.json'), JSON.stringify(settings));
  // Two code caches differ by the seed of their hash tables. V8 does not ask for the same seed where it uses them.
  const args = ['--random-seed=1', '--build-sea', 'sea.json'];

  if (runner === 'wine') {
    makeWine();
    const result = await runInWine(resolve(nodeBinary(target.node)), args, { cwd: work });
    if (!existsSync(join(work, 'program'))) throw new Error(`Node in Wine: ${result.stderr}${result.stdout}`);
    return;
  }
  const builder = BUILDERS.find((node) => node.version === target.node.version);
  if (builder === undefined) throw new Error(`no Node ${target.node.version} to package with`);
  const foreign = [...QEMU, resolve(nodeBinary(target.node))];
  const [command, ...before] = runner === 'qemu' ? foreign : [resolve(nodeBinary(builder))];
  execFileSync(command!, [...before, ...args], { cwd: work, stdio: ['ignore', 'ignore', 'inherit'] });
}
