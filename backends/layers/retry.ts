import type { Backend, CallOptions } from '../backend.ts';
import { cancelled, DepotError } from '../errors.ts';
import { exhaust, isExhausted } from '../exhausted.ts';
import { pausesOf, type Retries, retryLine, Trouble, triesOf } from '../retries.ts';
import { rising } from '../rising.ts';

/**
 * A backend whose verbs are called again when they failed in a way that may pass (`temporary`), after pauses that grow. What
 * a backend has repeated by itself until it gave up (HTTP requests) is not repeated once more.
 *
 * Waiting is for storage that was there: what never answered gets few tries. After waiting in vain each further call of that
 * verb has one try until one succeeds, since a push of 500 objects must not wait 500 times; of that verb, because a share may
 * well be looked at and refuse whatever is written.
 */
export function retrying(backend: Backend, retries: Retries): Backend {
  const { count, onRetry } = retries;
  let reached = false;
  const hopeless = new Set<string>();

  async function call<T>(verb: string, options: CallOptions | undefined, work: (o: CallOptions) => Promise<T>) {
    const signal = options?.signal;
    const trouble = new Trouble(retries.timeout);
    const tell = rising(options?.onProgress);
    const onProgress = (bytes: number): void => {
      trouble.alive();
      tell(bytes);
    };
    const given = { ...options, onProgress };
    const attempt = async (): Promise<T> => {
      try {
        const done = await work(given);
        reached = true;
        hopeless.delete(verb);
        return done;
      } catch (error) {
        if (isPassing(error) && signal?.aborted) throw cancelled(error.what);
        if (isAnswer(error)) reached = true;
        throw error;
      }
    };
    try {
      return await attempt();
    } catch (error) {
      if (!isPassing(error) || hopeless.has(verb) || count === 0) throw error;
      return await again(attempt, error, { verb, signal, trouble });
    }
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
        retries: count,
        ...pausesOf(retries),
        ...(signal && { signal }),
        shouldRetry: ({ error, attemptNumber }) => {
          const tries = triesOf(retries, reached);
          if (attemptNumber >= tries || !isPassing(error) || trouble.lastsTooLong()) return false;
          onRetry?.(retryLine(attemptNumber, tries, error.message));
          return true;
        },
      });
    } catch (error) {
      if (signal?.aborted) throw cancelled(first.what);
      if (!isPassing(error)) throw error;
      hopeless.add(verb);
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
    const { entries, first } = await call('list', o, async (options) => {
      const begun = backend.list(prefix, options)[Symbol.asyncIterator]();
      return { entries: begun, first: await begun.next() };
    });
    try {
      for (let next = first; !next.done; next = await entries.next()) yield next.value;
    } finally {
      // Who leaves early leaves the list below, too.
      await entries.return?.();
    }
  }
}

function isPassing(error: unknown): error is DepotError {
  return error instanceof DepotError && error.temporary && !isExhausted(error);
}

/** What answers is there, if only to refuse, or to say that it is held. */
function isAnswer(error: unknown): boolean {
  return error instanceof DepotError && error.kind !== 'unreachable' && error.kind !== 'cancelled';
}
