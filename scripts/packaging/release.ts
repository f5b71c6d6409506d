import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { type Archive, type Effort, packArchive, sha256 } from './archive.ts';
import { runnerOf } from './embed.ts';
import { manifests } from './manifests.ts';
import { releaseNotes } from './notes.ts';
import { packNpm } from './npm-package.ts';
import { papersOf } from './papers.ts';
import { type Content, makeProgram } from './program.ts';
import { TARGETS } from './targets.ts';

export const RELEASE = 'dist/release';

export interface Order {
  /** Of the GitHub repository that manifests name. */
  owner: string;
  effort: Effort;
}

/** What goes into the programs, and the folders of the packages in it. */
type Packed = Content & { packages: string[] };

/** The targets whose program starts from a code cache in a release; what else has none cannot be run where it is packaged. */
const CACHED = ['linux-x64', 'linux-arm64', 'win-x64'];

/**
 * Makes all that a release consists of in dist/release/ and prints a table of sizes. Refuses sources that no commit holds:
 * a release must be possible to make again.
 */
export async function makeRelease(content: Packed, order: Order): Promise<void> {
  const changes = git('status', '--porcelain', '--untracked-files=no');
  if (changes !== '') throw new Error(`these changes are in no commit, so they cannot be released:\n${changes}`);
  for (const target of TARGETS)
    if (CACHED.includes(target.name) && runnerOf(target) === undefined)
      throw new Error(`${target.name} cannot run here, but has to: see docs/releasing.md`);
  mkdirSync('dist', { recursive: true });
  writeFileSync('dist/release-notes.md', releaseNotes(content.version));
  const folder = mkdtempSync('dist/release-');
  try {
    const rows = await fill(folder, content, order);
    rmSync(RELEASE, { recursive: true, force: true });
    renameSync(folder, RELEASE);
    // Who publishes may be another than who packages.
    chmodSync(RELEASE, 0o755);
    console.log(`${content.version} (${content.commit}) in ${RELEASE}:\n\n${table(rows)}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Makes every file of a release. */
async function fill(folder: string, content: Packed, { owner, effort }: Order): Promise<Row[]> {
  const time = Number(git('log', '-1', '--format=%ct'));
  const { version, packages } = content;
  const archives: Archive[] = [];
  const rows: Row[] = [];
  const left = [...TARGETS];
  // Two at a time: xz and 7z use one processor each.
  const lane = async () => {
    for (let target = left.shift(); target !== undefined; target = left.shift()) {
      const program = await makeProgram(target, content);
      const papers = papersOf(packages, target.node.version);
      const archive = await packArchive(target, program, papers, { version, time, folder, effort });
      archives.push(archive);
      rows.push({ file: basename(archive.path), size: statSync(archive.path).size, program: statSync(program).size });
      console.error(`package: packed ${basename(archive.path)}`);
    }
  };
  await Promise.all([lane(), lane()]);

  const npm = packNpm(content.file, papersOf(packages, undefined), owner, folder);
  rows.push({ file: basename(npm), size: statSync(npm).size, program: statSync(content.file).size });
  const { description } = JSON.parse(readFileSync('package.json', 'utf8'));
  const texts = manifests({ version, owner, time, description, archives });
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(folder, name), text);
  const files = readdirSync(folder).sort();
  const sums = files.map((file) => `${sha256(join(folder, file))}  ${file}\n`);
  writeFileSync(join(folder, 'SHA256SUMS'), sums.join(''));
  return rows;
}

interface Row {
  file: string;
  size: number;
  program: number;
}

function table(rows: Row[]): string {
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`.padStart(10);
  const width = Math.max(...rows.map(({ file }) => file.length));
  const lines = rows
    .toSorted((a, b) => (a.file < b.file ? -1 : 1))
    .map(({ file, size, program }) => `${file.padEnd(width)}  ${megabytes(size)}  ${megabytes(program)}`);
  return [`${'file'.padEnd(width)}  ${'packed'.padStart(10)}  ${'program'.padStart(10)}`, ...lines].join('\n');
}

export function git(...args: string[]): string {
  return execFileSync('git', args, { encoding: 'utf8' }).trim();
}
