import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fromSystemError } from '../backends/system-error.ts';
import { uniqueName } from '../backends/unique-name.ts';

/**
 * A private name for a download. git-lfs *renames* the file it is given into its own objects folder, so the name lies
 * on that filesystem, in the folder where git-lfs removes what is older than an hour. Not `<oid>-…`: git-lfs removes
 * files of that form as soon as it has the object, another process's too (its fs/cleanup.go).
 * @throws DepotError where the folder cannot be made.
 */
export function newDownload(tempFolder: string, oid: string): string {
  try {
    mkdirSync(tempFolder, { recursive: true });
  } catch (error) {
    throw fromSystemError(error, `cannot make ${tempFolder}`);
  }
  return join(tempFolder, `depot-${shortened(oid)}-${uniqueName()}`);
}

/**
 * The objects of which downloads lie there now: git-lfs leaves what it refused, for an hour, and another process may be at
 * work. None where that cannot be told.
 */
export function leftDownloads(tempFolder: string): { has(oid: string): boolean } {
  const left = new Set(namesIn(tempFolder).map((name) => /^depot-([0-9a-f]{16})-/.exec(name)?.[1]));
  return { has: (oid) => left.has(shortened(oid)) };
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function shortened(oid: string): string {
  return oid.slice(0, 16);
}

/** Where a backend that `resumes` keeps what it knows of a file that broke off. */
export function versionOf(file: string): string {
  return `${file}.version`;
}

/** All that a download that broke off has left under a name. */
export function partsOf(file: string): string[] {
  return [file, versionOf(file)];
}
