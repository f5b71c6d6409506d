import type { Backend, CallOptions } from '../backend.ts';
import { cancelled, DepotError } from '../errors.ts';
import { exhaust, isExhausted } from '../exhausted.ts';
import { FIRST_TRIES, LONGEST_PAUSE, type Retries, Trouble } from '../retries.ts';

/**
 * A backend whose verbs are called again when they failed in a way that may pass (`temporary`), after pauses that grow. What
 * a backend has repeated by itself until it gave up (HTTP requests) is not repeated once more.
 *
 * Waiting is for storage that was there: what never answered gets few tries, and after waiting in vain each further call has
 * one try until one succeeds, since a push of 500 objects must not wait 500 times.
 */
export function retrying(backend: Backend, retries: Retries): Backend {
  const { count, onRetry } = retries;
  let reached = false;
  let hopeless = false;

  async function call<T>(verb: string, options: CallOptions | undefined, work: (o: CallOptions) => Promise<T>) {
    const signal = options?.signal;
    const trouble = new Trouble(retries.timeout);
    const given = { ...options, onProgress: rising(options?.onProgress, () => trouble.alive()) };
    const attempt = async (): Promise<T> => {
      const done = await work(given);
      reached = true;
      hopeless = false;
      return done;
    };
    try {
      return await attempt();
    } catch (error) {
      if (!isPassing(error) || hopeless || signal?.aborted || count === 0) throw told(error);
      return await again(attempt, error, { verb, signal, trouble });
    }
  }

  /** What answers, if only with a refusal, is there. */
  function told(error: unknown): unknown {
    if (error instanceof DepotError && !error.temporary && error.kind !== 'cancelled') reached = true;
    return error;
  }

  interface Again {
    verb: string;
    signal: AbortSignal | undefined;
    trouble: Trouble;
  }

  async function again<T>(attempt: () => Promise<T>, first: DepotError, { verb, signal, trouble }: Again): Promise<T> {
    // Loaded late: it is hardly ever needed.
    const { default: pRetry } = await import('p-retry');
    let pending: unknown = first;
    const tries = reached ? count + 1 : Math.min(count + 1, FIRST_TRIES);
    const work = async (): Promise<T> => {
      // The first failure has happened already: it counts as the first attempt.
      if (pending) {
        const error = pending;
        pending = undefined;
        throw error;
      }
      return attempt();
    };
    try {
      return await pRetry(work, {
        retries: tries - 1,
        minTimeout: retries.pause,
        maxTimeout: LONGEST_PAUSE,
        factor: 2,
        randomize: true,
        ...(signal && { signal }),
        shouldRetry: ({ error, attemptNumber, retriesLeft }) => {
          if (retriesLeft === 0 || !isPassing(error) || trouble.lastsTooLong()) return false;
          onRetry?.(`${verb} again after attempt ${attemptNumber} of ${tries}: ${error.message}`);
          return true;
        },
      });
    } catch (error) {
      if (signal?.aborted) throw cancelled(first.what);
      if (!isPassing(error)) throw told(error);
      hopeless = true;
      throw exhaust(error);
    }
  }

  return {
    ...backend,
    create: () => call('create', undefined, () => backend.create()),
    stat: (path, o) => call('stat', o, (options) => backend.stat(path, { ...o, ...options })),
    list: (prefix, o) => listing(prefix, o),
    put: (path, file, o) => call('put', o, (options) => backend.put(path, file, { ...o, ...options })),
    get: (path, file, o) => call('get', o, (options) => backend.get(path, file, { ...o, ...options })),
    digest: (path, o) => call('digest', o, (options) => backend.digest(path, options)),
    read: (path, o) => call('read', o, (options) => backend.read(path, options)),
    write: (path, content, o) => call('write', o, (options) => backend.write(path, content, options)),
    remove: (path, o) => call('remove', o, (options) => backend.remove(path, options)),
    sweep: (olderThan, o) => call('sweep', o, (options) => backend.sweep(olderThan, options)),
    space: (o) => call('space', o, (options) => backend.space(options)),
    examine: (o) => call('examine', o, (options) => backend.examine(options)),
  };

  /** Begun again only as long as nothing was told: nobody wants an entry twice, nor all of them in memory. */
  async function* listing(prefix: string, o: CallOptions | undefined) {
    const started = await call('list', o, async (options) => {
      const entries = backend.list(prefix, options)[Symbol.asyncIterator]();
      return { entries, first: await entries.next() };
    });
    if (started.first.done) return;
    yield started.first.value;
    yield* { [Symbol.asyncIterator]: () => started.entries };
  }
}

function isPassing(error: unknown): error is DepotError {
  return error instanceof DepotError && error.temporary && !isExhausted(error);
}

/** Of several tries, one meter: what was told once is not taken back. */
function rising(onProgress: CallOptions['onProgress'], moved: () => void): CallOptions['onProgress'] {
  let most = 0;
  return (bytes) => {
    moved();
    if (bytes <= most) return;
    most = bytes;
    onProgress?.(bytes);
  };
}
