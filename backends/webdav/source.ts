import { createHash } from 'node:crypto';
import { closeSync, read, readSync } from 'node:fs';
import { promisify } from 'node:util';
import type { PutOptions } from '../backend.ts';
import { throwIfCancelled } from '../errors.ts';
import { assertPromised, localReadTrouble, openSource } from '../local-file.ts';
import type { Body } from './exchange.ts';

const readAt = promisify(read);

/** Up to here a file is read and hashed before anything is sent, and sent in one piece. */
export const SMALL = 1024 * 1024;

/** A local file on its way to the server. */
export interface Source {
  /** The whole file; the last bytes are given out only once its hash was found to be right. */
  body(): Body;
  /** A part of it; the parts must be taken in order, from the first, and `skip` counts as taking. */
  part(start: number, length: number): Body;
  skip(start: number, length: number): Promise<void>;
  /** Reads the whole file, and sends nothing: what is sent in parts is looked at by none of them alone. */
  verify(): Promise<void>;
  close(): void;
}

/** @throws DepotError `corrupt` now, or from a body, unless the file has the promised size and hash. */
export function sourceOf(localFile: string, options: PutOptions, what: string): Source {
  const { size, signal } = options;
  const fd = openSource(localFile, options, what);
  const furthest = { told: 0 };
  const tell = (bytes: number): void => {
    // A request that is repeated starts over; what was told stays told.
    if (bytes <= furthest.told || signal?.aborted) return;
    furthest.told = bytes;
    options.onProgress?.(bytes);
  };

  let whole: Buffer | undefined;
  function small(): Buffer {
    whole ??= readWhole();
    return whole;
  }
  function readWhole(): Buffer {
    // One more, to notice a file that grows.
    const buffer = Buffer.allocUnsafe(size + 1);
    let length = 0;
    try {
      for (let got = -1; got !== 0 && length < buffer.length; length += got) {
        got = readSync(fd, buffer, length, buffer.length - length, length);
      }
    } catch (error) {
      throw localReadTrouble(error, localFile);
    }
    const bytes = buffer.subarray(0, length);
    assertPromised(
      { size: length, sha256: createHash('sha256').update(bytes).digest('hex') },
      localFile,
      options,
      what,
    );
    return bytes;
  }

  /** What all bytes so far hash to; a part that is sent again was hashed before. */
  const hash = { state: createHash('sha256'), upTo: 0 };
  async function* chunks(start: number, length: number): AsyncGenerator<Buffer> {
    if (start === 0) {
      hash.state = createHash('sha256');
      hash.upTo = 0;
    }
    const ring = [0, 1, 2].map(() => Buffer.allocUnsafe(Math.min(SMALL, length)));
    for (let done = 0, turn = 0; done < length; turn++) {
      throwIfCancelled(signal, what);
      const buffer = ring[turn % ring.length] as Buffer;
      const at = start + done;
      const wanted = Math.min(buffer.length, length - done);
      const got = await readFully(buffer, wanted, at);
      const bytes = buffer.subarray(0, got);
      if (at === hash.upTo) {
        hash.state.update(bytes);
        hash.upTo += got;
      }
      if (got < wanted) assertPromised({ size: at + got, sha256: '' }, localFile, options, what);
      if (at + got === size) {
        assertPromised({ size: hash.upTo, sha256: hash.state.copy().digest('hex') }, localFile, options, what);
      }
      yield bytes;
      done += got;
    }
  }

  async function readFully(buffer: Buffer, wanted: number, at: number): Promise<number> {
    let length = 0;
    try {
      for (let got = -1; got !== 0 && length < wanted; length += got) {
        got = (await readAt(fd, buffer, length, wanted - length, at + length)).bytesRead;
      }
    } catch (error) {
      throw localReadTrouble(error, localFile);
    }
    return length;
  }

  return {
    body: () => {
      if (size <= SMALL) small();
      return { size, chunks: () => (size <= SMALL ? [small()] : chunks(0, size)), onSent: tell };
    },
    part: (start, length) => ({
      size: length,
      chunks: () => chunks(start, length),
      onSent: (sent) => tell(start + sent),
    }),
    skip: async (start, length) => {
      for await (const _ of chunks(start, length));
      tell(start + length);
    },
    verify: async () => {
      for await (const _ of chunks(0, size));
    },
    close: () => closeSync(fd),
  };
}
