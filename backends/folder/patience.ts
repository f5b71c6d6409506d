import { errorCode } from '../system-error.ts';
import type { Calls } from './calls.ts';
import type { Place } from './place.ts';

/**
 * The place as one call of the backend sees it: what is refused there because somebody else holds a file open (a virus
 * scanner, an indexer, a colleague's program) is tried again for a while. Local disks need none of it, and are left as they
 * are.
 */
export function withPatience(place: Place, signal: AbortSignal | undefined): Place {
  return place.calls.direct ? place : { ...place, calls: patient(place, signal) };
}

/** Whether an error says that somebody holds the file, or that a handle went stale: it passes, for those who wait. */
export function isHeld(error: unknown): boolean {
  return HELD.has(errorCode(error));
}

/** EBUSY is what Windows' "sharing violation" is called here. None of these is seen on a local disk of Linux. */
const HELD = new Set<string | undefined>(['EBUSY', 'ETXTBSY', 'EAGAIN', 'ESTALE']);

/** What Windows and Samba say to a rename or a removal of a file that is held, and to one that is not allowed. */
const DENIED = new Set<string | undefined>(['EPERM', 'EACCES']);

/**
 * Times after which it is given up, after pauses that grow from 20 ms to a second: 9 s in all for what is surely held.
 * What may just not be allowed gets 1.3 s, and only once in a process.
 */
const TRIES = { held: 14, denied: 6 };

function patient({ calls, lacks, platform }: Place, signal: AbortSignal | undefined): Calls {
  /** @param deniable whether "denied" may mean "held": not for what makes a new file, which nobody can hold yet. */
  async function call<T>(deniable: boolean, work: () => T | Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const denied = (code: string | undefined) => deniable && !lacks.has('patience') && DENIED.has(code);
      const first = errorCode(error);
      if (!isHeld(error) && !denied(first)) throw error;
      return await again(work, {
        signal,
        retries: isHeld(error) ? TRIES.held : TRIES.denied,
        worthwhile: (code) => HELD.has(code) || denied(code),
      }).catch((last) => {
        if (DENIED.has(errorCode(last))) lacks.add('patience');
        throw last;
      });
    }
  }
  return {
    ...calls,
    open: (path, flags) => call(false, () => calls.open(path, flags)),
    stat: (path) => call(false, () => calls.stat(path)),
    // Elsewhere EPERM is how a filesystem says that it has no hard links.
    link: (from, to) => call(platform === 'win32', () => calls.link(from, to)),
    rename: (from, to) => call(true, () => calls.rename(from, to)),
    unlink: (path) => call(true, () => calls.unlink(path)),
    mkdir: (path, mode) => call(false, () => calls.mkdir(path, mode)),
    rmdir: (path) => call(true, () => calls.rmdir(path)),
  };
}

interface Patience {
  signal: AbortSignal | undefined;
  retries: number;
  worthwhile: (code: string | undefined) => boolean;
}

async function again<T>(work: () => T | Promise<T>, { signal, retries, worthwhile }: Patience): Promise<T> {
  // Loaded late: it is hardly ever needed.
  const { default: pRetry } = await import('p-retry');
  return pRetry(async () => work(), {
    retries,
    minTimeout: 20,
    factor: 2,
    maxTimeout: 1000,
    randomize: true,
    signal,
    shouldRetry: ({ error }) => worthwhile(errorCode(error)),
  });
}
