import { closeSync, fstatSync, openSync } from 'node:fs';
import { DepotError } from './errors.ts';
import { errorCode, fromSystemError } from './system-error.ts';

// The user's side of a transfer: one end is always a file on this computer, whatever the backend is.

/** Bytes and lower-case hex. */
interface Promised {
  size: number;
  sha256: string;
}

/**
 * Opens the file to be stored.
 * @throws DepotError `corrupt` unless it is there, a file, and of the promised size.
 */
export function openSource(localFile: string, promised: Promised, what: string): number {
  const source = openLocal(localFile, what);
  try {
    const found = fstatSync(source);
    if (!found.isFile()) {
      const cure = 'nothing was stored; run `git lfs fsck`, which shows what is wrong';
      throw new DepotError('corrupt', { what, why: `${localFile} is not a file`, cure });
    }
    if (found.size !== promised.size) assertPromised({ size: found.size, sha256: '' }, localFile, promised, what);
    return source;
  } catch (error) {
    closeSync(source);
    throw error;
  }
}

/** @throws DepotError `corrupt`, with both values, unless the local file turned out to be what was promised. */
export function assertPromised(found: Promised, localFile: string, promised: Promised, what: string): void {
  if (found.size === promised.size && found.sha256 === promised.sha256) return;
  const why =
    found.size === promised.size
      ? `${localFile} has the SHA-256 ${found.sha256}, not ${promised.sha256}: it is damaged`
      : `${localFile} has ${found.size} bytes, not ${promised.size}`;
  const cure = 'nothing was stored; get a good copy of the file back, `git lfs fsck` shows which it is';
  throw new DepotError('corrupt', { what, why, cure });
}

function openLocal(localFile: string, what: string): number {
  try {
    return openSync(localFile, 'r');
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw localReadTrouble(error, localFile);
    const cure = 'run `git lfs fsck`, then fetch the object from wherever it still is';
    throw new DepotError('corrupt', { what, why: `the local file ${localFile} does not exist`, cure, cause: error });
  }
}

export function localReadTrouble(error: unknown, localFile: string): DepotError {
  return fromSystemError(error, `cannot read ${localFile}, on this computer`, 'read');
}

/** The user's own disk, not the store. */
export function localWriteTrouble(error: unknown, localFile: string): DepotError {
  const trouble = fromSystemError(error, `cannot write ${localFile}, on this computer`);
  const { kind, what, why, temporary } = trouble;
  const cure = kind === 'no-space' ? 'make room on the disk of this clone, then try again' : trouble.cure;
  return new DepotError(kind, { what, why, cure, temporary, cause: error });
}

/** What the storage has is not what its name promises. */
export function damaged(what: string, how: string): DepotError {
  return new DepotError('corrupt', {
    what,
    why: `the copy there is damaged: it ${how}`,
    cure: 'put a good copy there',
  });
}
