import { createHash } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writev,
} from 'node:fs';
import type { CallOptions, GetOptions } from '../backend.ts';
import { DepotError, isKind, throwIfCancelled } from '../errors.ts';
import { damaged, localWriteTrouble } from '../local-file.ts';
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

interface Target {
  fd: number;
  localFile: string;
  state: Progress;
  /** True where the first bytes are from an earlier call. */
  began: boolean;
}

/** A mix of two versions of a file, or a proxy's bad moment, gets one more chance from the start. */
async function fill(place: Place, path: string, target: Target, options: GetOptions, what: string) {
  const { expect, signal } = options;
  const tell = progressOf(options);
  for (let fresh = !target.began; ; fresh = true) {
    const sink = fileSink(target, expect !== undefined, tell);
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

/** Bytes that are collected before they are written. */
const BATCH = 1024 * 1024;

interface FileSink extends Sink {
  /** Hashes what an earlier call left. */
  takeUp(): void;
  flush(): Promise<void>;
  /** Waits for what is being written, whatever comes of it. */
  settle(): Promise<void>;
  digest(): string | undefined;
}

/** Writes a megabyte at a time while the next one comes in. */
function fileSink({ fd, localFile, state }: Target, hashes: boolean, tell: (bytes: number) => void): FileSink {
  let hash = hashes ? createHash('sha256') : undefined;
  let batch: Buffer[] = [];
  let size = 0;
  let position = state.have;
  let writing: Promise<void> = Promise.resolve();

  function write(): Promise<void> {
    const before = writing;
    const buffers = batch;
    const at = position;
    position += size;
    batch = [];
    size = 0;
    writing = before.then(() => writeAll(fd, buffers, at, localFile));
    writing.catch(() => {});
    return before;
  }

  return {
    take: (bytes) => {
      hash?.update(bytes);
      batch.push(bytes);
      size += bytes.length;
      if (size < BATCH) return undefined;
      const done = position + size;
      const before = write();
      tell(done);
      return before;
    },
    restart: async () => {
      await writing.catch(() => {});
      hash = hashes ? createHash('sha256') : undefined;
      batch = [];
      size = 0;
      position = 0;
      locally(localFile, () => ftruncateSync(fd, 0));
    },
    takeUp: () => {
      const buffer = Buffer.allocUnsafe(BATCH);
      for (let at = 0; at < state.have; ) {
        const got = locally(localFile, () => readSync(fd, buffer, 0, Math.min(BATCH, state.have - at), at));
        if (got === 0) break;
        hash?.update(buffer.subarray(0, got));
        at += got;
      }
      tell(state.have);
    },
    flush: async () => {
      const done = position + size;
      await write();
      await writing;
      if (done > 0) tell(done);
    },
    settle: async () => {
      // What was received and is not yet in the file counts for going on, too.
      await write().catch(() => {});
      await writing.catch(() => {
        state.have = 0;
      });
    },
    digest: () => hash?.digest('hex'),
  };
}

function writeAll(fd: number, buffers: Buffer[], at: number, localFile: string): Promise<void> {
  const total = buffers.reduce((sum, { length }) => sum + length, 0);
  if (total === 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    writev(fd, buffers, at, (error, written) => {
      if (error) return reject(localWriteTrouble(error, localFile));
      if (written === total) return resolve();
      // A disk that takes a part only: the rest in one piece, which tells why.
      const rest = Buffer.concat(buffers).subarray(written);
      writeAll(fd, [rest], at + written, localFile).then(resolve, reject);
    });
  });
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

function locally<T>(localFile: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw localWriteTrouble(error, localFile);
  }
}

/** The hash of a stored file as it is read back; undefined when nothing is there. */
export async function digestFile(
  place: Place,
  path: string,
  options: CallOptions,
  what: string,
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
  const size = await receive(place, path, sink, { what, signal: options.signal });
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
