import { errorCode } from '../system-error.ts';
import type { Calls } from './calls.ts';
import type { Place } from './place.ts';

/**
 * The place as one call of the backend sees it: what is refused there because somebody else holds a file open (a virus
 * scanner, an indexer, a colleague's program) is tried again for a while. Local disks need none of it, and are left as they
 * are.
 */
export function withPatience(place: Place, signal: AbortSignal | undefined): Place {
  if (place.calls.direct) return place;
  return { ...place, calls: patient(place, TRIES, signal), hasty: patient(place, HASTY, signal) };
}

type Codes = ReadonlySet<string | undefined>;

/** Whether an error says that somebody holds the file, or that a handle went stale: it passes, for those who wait. */
export function isHeld(error: unknown): boolean {
  return HELD.has(errorCode(error));
}

/** EBUSY is what Windows' "sharing violation" is called here. None of these is seen on a local disk of Linux. */
const HELD: Codes = new Set(['EBUSY', 'ETXTBSY', 'ESTALE']);

/** What Windows and Samba say to a rename or a removal of a file that is held, and to one that is not allowed. */
const DENIED: Codes = new Set(['EPERM', 'EACCES']);

/**
 * What Linux's CIFS client says to a reader of an object that this computer publishes just now: while its temp name, a
 * second link to it, is open or was so a second ago, the server refuses the other name (seen with Linux 6.1 and Samba 4.17).
 */
const LEASED: Codes = new Set(['EINVAL']);

const NONE: Codes = new Set();

/**
 * How often it is tried again, after pauses that grow from 20 ms to a second: 9 to 18 s in all for what is surely held. What
 * may have another reason, like a right that is missing, gets 1 to 3 s. If it was in vain, such a call is not tried again until
 * one succeeds: a push of 500 objects must not wait 500 times.
 */
const TRIES = { held: 14, unclear: 6 };

/** For the removal of what a sweep takes anyway. */
const HASTY = { held: 4, unclear: 4 };

/** Milliseconds after which nothing is tried again: on a share in trouble a single call may take ten seconds. */
const LONGEST = 20_000;

function patient({ calls, hopeless, platform }: Place, tries: typeof TRIES, signal: AbortSignal | undefined): Calls {
  /** @param maybe codes that may mean "held" in this call. */
  async function call<T>(name: keyof Calls, maybe: Codes, work: () => T | Promise<T>): Promise<T> {
    try {
      const done = await work();
      hopeless.delete(name);
      return done;
    } catch (error) {
      const worthwhile = (reason: unknown) => isHeld(reason) || maybe.has(errorCode(reason));
      if (hopeless.has(name) || !worthwhile(error)) throw error;
      const retries = isHeld(error) ? tries.held : tries.unclear;
      return await again(work, { signal, retries, worthwhile }).catch((last) => {
        if (worthwhile(last)) hopeless.add(name);
        throw last;
      });
    }
  }
  return {
    ...calls,
    open: (path, flags) => call('open', flags === 'r' ? LEASED : NONE, () => calls.open(path, flags)),
    stat: (path) => call('stat', NONE, () => calls.stat(path)),
    // Elsewhere EPERM is how a filesystem says that it has no hard links.
    link: (from, to) => call('link', platform === 'win32' ? DENIED : NONE, () => calls.link(from, to)),
    rename: (from, to) => call('rename', DENIED, () => calls.rename(from, to)),
    unlink: (path) => call('unlink', DENIED, () => calls.unlink(path)),
    mkdir: (path, mode) => call('mkdir', NONE, () => calls.mkdir(path, mode)),
    rmdir: (path) => call('rmdir', DENIED, () => calls.rmdir(path)),
  };
}

interface Patience {
  signal: AbortSignal | undefined;
  retries: number;
  worthwhile: (error: unknown) => boolean;
}

async function again<T>(work: () => T | Promise<T>, { signal, retries, worthwhile }: Patience): Promise<T> {
  // Loaded late: it is hardly ever needed.
  const { default: pRetry } = await import('p-retry');
  return pRetry(async () => work(), {
    retries,
    minTimeout: 20,
    factor: 2,
    maxTimeout: 1000,
    maxRetryTime: LONGEST,
    randomize: true,
    signal,
    shouldRetry: ({ error }) => worthwhile(error),
  });
}
