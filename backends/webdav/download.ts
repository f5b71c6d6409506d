import { createHash } from 'node:crypto';
import { closeSync, fstatSync, ftruncateSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { CallOptions, GetOptions } from '../backend.ts';
import { DepotError, isKind, throwIfCancelled } from '../errors.ts';
import { damaged } from '../local-file.ts';
import { fileSink, locally, type Target } from './file-sink.ts';
import type { Place } from './place.ts';
import { type Progress, receive, type Sink } from './receive.ts';

/** Reads a stored file into a new local file, or goes on with one that broke off. Undefined when nothing is there. */
export async function getFile(
  place: Place,
  path: string,
  localFile: string,
  options: GetOptions,
  what: string,
): Promise<number | undefined> {
  const { fd, state, began } = openTarget(localFile, options);
  let open = true;
  let keep = false;
  try {
    const size = await fill(place, path, { fd, localFile, state, began }, options, what);
    open = false;
    // A full disk may show only here.
    locally(localFile, () => closeSync(fd));
    keep = size !== undefined;
    return size;
  } catch (error) {
    if (open) closeSync(fd);
    keep = options.resume === true && mayGoOn(error) && rememberVersion(localFile, state);
    throw error;
  } finally {
    if (!keep) rmSync(localFile, { force: true });
    if (!keep || !options.resume) rmSync(versionFile(localFile), { force: true });
  }
}

/** A mix of two versions of a file, or a proxy's bad moment, gets one more chance from the start. */
async function fill(place: Place, path: string, target: Target, options: GetOptions, what: string) {
  const { expect, signal } = options;
  const tell = progressOf(options);
  for (let fresh = !target.began; ; fresh = true) {
    const sink = fileSink(target, expect?.sha256 !== undefined, tell);
    if (target.state.have > 0) sink.takeUp();
    try {
      const size = await receive(place, path, sink, { what, signal, size: expect?.size, state: target.state });
      if (size === undefined) return undefined;
      await sink.flush();
      throwIfCancelled(signal, what);
      const sha256 = sink.digest();
      if (sha256 !== expect?.sha256) throw damaged(what, `has the SHA-256 ${sha256}`);
      // An empty file has no bytes that could be told of.
      if (size === 0) options.onProgress?.(0);
      rmSync(versionFile(target.localFile), { force: true });
      return size;
    } catch (error) {
      await sink.settle();
      if (fresh || !isKind(error, 'corrupt')) throw error;
      target.state.have = 0;
      target.state.validator = undefined;
      await sink.restart();
    }
  }
}

/** Opens the new file, or the one that an earlier call left with its version beside it. */
function openTarget(localFile: string, { resume, expect }: GetOptions): Pick<Target, 'fd' | 'state' | 'began'> {
  const validator = resume && expect ? versionBeside(localFile) : undefined;
  if (validator !== undefined) {
    try {
      const fd = openSync(localFile, 'r+');
      const { size } = fstatSync(fd);
      const began = size > 0 && size < (expect?.size ?? 0);
      if (!began) ftruncateSync(fd, 0);
      return { fd, began, state: began ? { have: size, validator } : { have: 0, validator: undefined } };
    } catch {
      // It is gone: from the start, then.
    }
  }
  const fd = locally(localFile, () => openSync(localFile, 'wx+'));
  return { fd, began: false, state: { have: 0, validator: undefined } };
}

/** Where the version of a file that broke off is kept. */
export function versionFile(localFile: string): string {
  return `${localFile}.version`;
}

function versionBeside(localFile: string): string | undefined {
  try {
    return readFileSync(versionFile(localFile), 'utf8');
  } catch {
    return undefined;
  }
}

/** Only what has a version can be gone on with safely. */
function rememberVersion(localFile: string, { have, validator }: Progress): boolean {
  if (have === 0 || validator === undefined) return false;
  try {
    writeFileSync(versionFile(localFile), validator);
    return true;
  } catch {
    return false;
  }
}

function mayGoOn(error: unknown): boolean {
  return error instanceof DepotError && (error.temporary || error.kind === 'cancelled' || error.kind === 'unreachable');
}

/** Never falling, though a file may come from its start again. */
function progressOf({ onProgress, signal }: CallOptions): (bytes: number) => void {
  let told = 0;
  return (bytes) => {
    if (bytes <= told || signal?.aborted) return;
    told = bytes;
    onProgress?.(bytes);
  };
}

/**
 * The hash of a stored file as it is read back; undefined when nothing is there.
 * @param likely bytes that it should have; another number is no error.
 */
export async function digestFile(
  place: Place,
  path: string,
  options: CallOptions,
  what: string,
  likely?: number,
): Promise<string | undefined> {
  const tell = progressOf(options);
  let hash = createHash('sha256');
  let done = 0;
  const sink: Sink = {
    take: (bytes) => {
      hash.update(bytes);
      done += bytes.length;
      tell(done);
      return undefined;
    },
    restart: () => {
      hash = createHash('sha256');
      done = 0;
      return undefined;
    },
  };
  const size = await receive(place, path, sink, { what, signal: options.signal, likely });
  return size === undefined ? undefined : hash.digest('hex');
}

/** The most that a small read gives, in bytes. */
const SMALL_READ = 1024 * 1024;

/** A small file whole. */
export async function readFile(
  place: Place,
  path: string,
  options: CallOptions,
  what: string,
): Promise<Buffer | undefined> {
  let parts: Buffer[] = [];
  let length = 0;
  const sink: Sink = {
    take: (bytes) => {
      parts.push(bytes);
      length += bytes.length;
      if (length <= SMALL_READ) return undefined;
      const cure = 'something else was written there: put the right file back';
      throw new DepotError('corrupt', { what, why: `it has more than ${SMALL_READ} bytes`, cure });
    },
    restart: () => {
      parts = [];
      length = 0;
      return undefined;
    },
  };
  const size = await receive(place, path, sink, { what, signal: options.signal });
  return size === undefined ? undefined : Buffer.concat(parts);
}
