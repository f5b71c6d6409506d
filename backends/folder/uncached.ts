import { constants, open, statfs } from 'node:fs';
import { promisify } from 'node:util';
import type { Place } from './place.ts';

/** Bytes of which place, length and memory of a write past the cache must be multiples, whatever the disk. */
export const ALIGNED = 4096;

/**
 * A second descriptor for an open temp file, whose writes go straight to the disk (O_DIRECT); undefined where they cannot. What
 * is to survive a loss of power has to get there anyway: past the system's cache no time is spent on filling that, the sync at
 * the end has little left to do, and what the user works with stays cached. Only writes that are `ALIGNED` can be
 * made through it. What they refuse with EINVAL, the first descriptor takes.
 */
export async function openUncached(place: Place, fd: number): Promise<number | undefined> {
  if (!place.durable || !place.calls.direct || place.platform !== 'linux') return undefined;
  try {
    place.memory.uncached ??= SUITED.has((await promisify(statfs)(place.root)).type);
    if (!place.memory.uncached) return undefined;
    // Of this very file, whatever has its name by now.
    return await promisify(open)(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_DIRECT);
  } catch {
    return undefined;
  }
}

/**
 * ext and XFS. Elsewhere it is of no use (tmpfs has nothing but the cache), or costs what the filesystem is used for (Btrfs
 * does not compress such writes), or nobody has measured it.
 */
const SUITED = new Set([0xef53, 0x58465342]);
