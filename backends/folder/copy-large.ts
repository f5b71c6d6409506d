import { read, write } from 'node:fs';
import { errorCode } from '../system-error.ts';
import { BUFFER, lend, ownBuffers } from './buffers.ts';
import type { CopyOptions } from './copy.ts';
import { marked, type Side } from './sides.ts';
import { ALIGNED } from './uncached.ts';

interface Target {
  fd: number;
  uncached: number | undefined;
}

/** Buffers of a copy. Writes to the system's cache wait for one another there, so that more than one at a time is of no use. */
const CACHED = 2;
const UNCACHED = 4;

/**
 * Bytes that are written to the system's cache at once. ext4 takes the memory for a file in pieces as large as a write, as far as its
 * position allows, and pieces of 1 MiB are dear: with writes of 1 MiB a copy of 2 GiB took 3.2 s at best, with ones of 768 KiB, which
 * never begin where 1 MiB would fit, 0.6 (Linux 6.18; docs/architecture.md, "Speed").
 */
export const CACHED_WRITE = 768 * 1024;

/**
 * See `copyBytes`. The next read, the hash and the last writes run at the same time, and the event loop stays free for a
 * cancel. Whatever happens, it ends only when no call uses a buffer or a descriptor any more.
 */
export async function copyLarge(source: number, target: number | undefined, options: CopyOptions): Promise<number> {
  const { size, uncached, hash, signal } = options;
  const { buffers, giveBack } = size < BUFFER ? ownBuffers(size + 1) : lend(uncached === undefined ? CACHED : UNCACHED);
  const to: Target | undefined = target === undefined ? undefined : { fd: target, uncached };
  /** Those that are under way, by their buffer; how many; and the newest. */
  const writes: (Promise<void> | undefined)[] = [];
  let open = 0;
  let last: Promise<void> | undefined;
  let written = 0;
  let failure: { error: unknown } | undefined;
  const fail = (side: Side, error: unknown): void => {
    failure ??= { error: marked(side, error) };
  };

  // Neither of these two rejects: they run while nobody waits for them. What need not be waited for has no `await` before it: all that
  // follows one comes after the hash, which then would run beside nothing.
  const reading = async (turn: number): Promise<number> => {
    if (writes[turn]) await writes[turn];
    try {
      const most = to && to.uncached === undefined ? CACHED_WRITE : BUFFER;
      return failure ? 0 : await readInto(source, buffers[turn]!.subarray(0, most));
    } catch (error) {
      fail('source', error);
      return 0;
    }
  };
  const writing = async (to: Target, chunk: Buffer, position: number, turn: number): Promise<void> => {
    open++;
    if (to.uncached === undefined && last) await last;
    try {
      if (failure || signal?.aborted) return;
      await writeFully(to, chunk, position);
      written += chunk.length;
      options.onProgress?.(written);
    } catch (error) {
      fail('target', error);
    } finally {
      writes[turn] = undefined;
      if (--open === 0) last = undefined;
    }
  };

  let total = 0;
  let turn = 0;
  let next = reading(turn);
  try {
    for (let filled = await next; filled > 0; filled = await next) {
      signal?.throwIfAborted();
      if (failure) break;
      if (total + filled > size) return total + filled;
      const chunk = buffers[turn]!.subarray(0, filled);
      if (to) writes[turn] = last = writing(to, chunk, total, turn);
      turn = (turn + 1) % buffers.length;
      next = reading(turn);
      hash?.update(chunk);
      total += filled;
      if (!to) options.onProgress?.(total);
    }
  } finally {
    await Promise.all([...writes, next]);
    giveBack();
  }
  if (failure) throw failure.error;
  signal?.throwIfAborted();
  return total;
}

function readInto(fd: number, buffer: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, buffer, 0, buffer.length, null, (error, count) => (error ? reject(error) : resolve(count)));
  });
}

async function writeFully(to: Target, chunk: Buffer, position: number): Promise<void> {
  for (let done = 0; done < chunk.length; ) {
    const rest = chunk.subarray(done);
    const { uncached } = to;
    const fits = (position + done) % ALIGNED === 0 && rest.length % ALIGNED === 0;
    try {
      done += await writeSome(fits && uncached !== undefined ? uncached : to.fd, rest, position + done);
    } catch (error) {
      if (!fits || uncached === undefined || errorCode(error) !== 'EINVAL') throw error;
      to.uncached = undefined;
    }
  }
}

/** Resolves to how many bytes were written. */
export function writeSome(fd: number, chunk: Buffer, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(fd, chunk, 0, chunk.length, position, (error, count) => (error ? reject(error) : resolve(count)));
  });
}
