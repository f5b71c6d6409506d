import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { embed, runnerOf } from './embed.ts';
import { signAdHoc } from './mac-signature.ts';
import { nodeBinary } from './node-binary.ts';
import { programName, type Target } from './targets.ts';
import { finishWindowsProgram, prepareWindowsProgram } from './windows-program.ts';

/** What goes into the programs: a bundle (a file), and what it says of itself. */
export interface Content {
  file: string;
  version: string;
  commit: string;
}

/** Makes `dist/package/<target>/lfs-depot` (`.exe` on Windows), unless it is there and up to date. Resolves to its path. */
export async function makeProgram(target: Target, content: Content): Promise<string> {
  const folder = join('dist/package', target.name);
  const program = join(folder, programName(target));
  const stampFile = join(folder, '.made-from');
  const stamp = stampOf(target, content);
  if (existsSync(program) && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return program;
  mkdirSync(folder, { recursive: true });
  rmSync(stampFile, { force: true });
  const work = mkdtempSync(join(folder, 'fresh-'));
  try {
    const node = join(work, 'node');
    copyFileSync(nodeBinary(target.node), node);
    copyFileSync(content.file, join(work, 'lfs-depot.cjs'));
    // Before anything is embedded: what embeds keeps a layout that it reads, others do not keep its.
    if (target.platform === 'win32') prepareWindowsProgram(node, content.version, content.commit);
    if (target.platform === 'linux') execFileSync('llvm-strip', [node]);
    await embed(work, target);
    const made = join(work, 'program');
    if (target.platform === 'win32') finishWindowsProgram(made);
    if (target.platform === 'darwin') writeFileSync(made, signAdHoc(readFileSync(made), 'lfs-depot'));
    chmodSync(made, 0o755);
    renameSync(made, program);
    writeFileSync(stampFile, stamp);
  } finally {
    rmSync(work, { recursive: true });
  }
  return program;
}

function stampOf(target: Target, { file, version, commit }: Content): string {
  const parts = JSON.stringify([target, runnerOf(target), version, commit]);
  const hash = createHash('sha256').update(parts).update(readFileSync(file));
  for (const source of readdirSync(import.meta.dirname).sort())
    hash.update(readFileSync(join(import.meta.dirname, source)));
  return hash.digest('hex');
}
