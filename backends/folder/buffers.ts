/** Bytes of one buffer for large files. */
export const BUFFER = 1024 * 1024;

/** How many copies at a time have at least two of the shared buffers: as many as git-lfs moves objects. */
const COPIES = 8;

/** The most that one copy gets, when no other has any. */
const MOST = 4;

/** Buffers that all copies of this process share; what was never used takes no memory. */
const COUNT = MOST + 2 * (COPIES - 1);

export interface Lent {
  buffers: Buffer[];
  /** Gives them back, once no call uses them. */
  giveBack: () => void;
}

let idle: Buffer[] | undefined;

/**
 * Lends `wanted` buffers (at least two) for one copy. They are used again, the last one first: left to the garbage collector,
 * those of many copies would pile up. Only a copy that is the first gets more than two; one too many has its own, so
 * that nobody ever waits for a copy that hangs.
 */
export function lend(wanted: number): Lent {
  idle ??= makeAll();
  const count = idle.length === COUNT ? Math.min(wanted, MOST) : 2;
  if (idle.length < count) return ownBuffers(BUFFER);
  const buffers = idle.splice(-count);
  return { buffers, giveBack: () => idle?.push(...buffers) };
}

/** Two of `length` bytes that are nobody else's. */
export function ownBuffers(length: number): Lent {
  return { buffers: [Buffer.allocUnsafeSlow(length), Buffer.allocUnsafeSlow(length)], giveBack: () => {} };
}

/**
 * The memory of WebAssembly begins at a page, which no other memory in Node is sure to do: writes past the system's cache
 * need that (uncached.ts). Where there is none, any memory does for everything else.
 */
function makeAll(): Buffer[] {
  let all: Buffer;
  try {
    const pages = (COUNT * BUFFER) / 65_536;
    all = Buffer.from(new WebAssembly.Memory({ initial: pages, maximum: pages }).buffer);
  } catch {
    all = Buffer.allocUnsafeSlow(COUNT * BUFFER);
  }
  return Array.from({ length: COUNT }, (_, index) => all.subarray(index * BUFFER, (index + 1) * BUFFER));
}
