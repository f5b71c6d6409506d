// A fake: a layer over any backend in which a share of all calls fails as storage with a bad day does. No real storage fails
// at random in each of its verbs.
import { rmSync } from 'node:fs';
import type { Backend, CallOptions, PutOutcome } from '../../backends/backend.ts';
import { DepotError } from '../../backends/errors.ts';

/** Before anything is done; with the first bytes that move, or some megabytes later; or when all is done and only the answer is lost. */
type Moment = 'before' | 'middle' | 'after';

export interface Flaky extends Backend {
  /** How many calls have failed, for each moment. */
  readonly failed: Record<Moment, number>;
  /** What the last `put` or `write` of a path did before its answer was lost: nobody but this fake can know. Told once. */
  lostOutcome(path: string): PutOutcome | undefined;
  /** What was removed by sweeps whose answers were lost. Told once. */
  lostSwept(): number;
}

/**
 * @param random numbers in [0, 1).
 * @param share of the calls that fail, all of them in ways that pass.
 */
export function flaky(backend: Backend, random: () => number, share = 1 / 3): Flaky {
  const failed = { before: 0, middle: 0, after: 0 };
  const lost = new Map<string, PutOutcome>();
  let swept = 0;
  let reached = false;
  let inARow = 0;

  function pick(moments: Moment[]): Moment | undefined {
    // What has never answered is given up after three tries, on purpose: so it answers by then.
    if (random() >= share || (!reached && inARow === 2)) return undefined;
    return moments[Math.floor(random() * moments.length)];
  }

  function fail(moment: Moment, verb: string): DepotError {
    failed[moment]++;
    inARow++;
    const [kind, why] =
      random() < 0.5 ? (['unreachable', 'it is away'] as const) : (['conflict', 'it is held'] as const);
    return new DepotError(kind, { what: `cannot ${verb}`, why: `${why} (${moment})`, cure: 'wait', temporary: true });
  }

  async function call<T>(
    verb: string,
    moments: Moment[],
    options: CallOptions | undefined,
    work: (o: CallOptions) => Promise<T>,
    onLost: (result: T) => void = () => {},
  ): Promise<T> {
    const moment = pick(moments);
    if (moment === 'before') throw fail('before', verb);
    const cut = new AbortController();
    const signal = options?.signal ? AbortSignal.any([options.signal, cut.signal]) : cut.signal;
    let left = moment === 'middle' ? Math.floor(random() * 4) : Number.POSITIVE_INFINITY;
    const onProgress = (bytes: number): void => {
      options?.onProgress?.(bytes);
      if (left-- <= 0) cut.abort();
    };
    let result: T;
    try {
      result = await work({ ...options, signal, onProgress });
    } catch (error) {
      if (cut.signal.aborted && !options?.signal?.aborted) throw fail('middle', verb);
      throw error;
    }
    // Cut with its last byte, it may be done: then what it did is not known either.
    if (moment === 'after' || cut.signal.aborted) {
      onLost(result);
      throw fail('after', verb);
    }
    reached = true;
    inARow = 0;
    return result;
  }

  const ALL: Moment[] = ['before', 'middle', 'after'];
  const STILL: Moment[] = ['before', 'after'];
  const lose = (path: string) => (outcome: PutOutcome) => {
    // The first of several decides: after it, they all find that it exists.
    if (!lost.has(path)) lost.set(path, outcome);
  };

  return {
    ...backend,
    failed,
    lostOutcome(path) {
      const outcome = lost.get(path);
      lost.delete(path);
      return outcome;
    },
    lostSwept() {
      const count = swept;
      swept = 0;
      return count;
    },
    create: () => call('create', STILL, undefined, () => backend.create()),
    stat: (path, o) => call('stat', STILL, o, (options) => backend.stat(path, { ...o, ...options })),
    async *list(prefix, o) {
      // Once it has told an entry it is not begun again: see the layer's own tests.
      if (pick(['before'])) throw fail('before', 'list');
      yield* backend.list(prefix, o);
    },
    put: (path, file, o) => {
      return call('put', ALL, o, (options) => backend.put(path, file, { ...o, ...options }), lose(path));
    },
    get: (path, file, o) => {
      // A call that fails leaves no local file: the contract of every backend.
      const remove = (): void => rmSync(file, { force: true });
      return call('get', ALL, o, (options) => backend.get(path, file, { ...o, ...options }), remove);
    },
    digest: (path, o) => call('digest', ALL, o, (options) => backend.digest(path, options)),
    read: (path, o) => call('read', STILL, o, (options) => backend.read(path, options)),
    write: (path, content, o) => {
      return call('write', STILL, o, (options) => backend.write(path, content, options), lose(path));
    },
    remove: (path, o) => call('remove', STILL, o, (options) => backend.remove(path, options)),
    sweep: (olderThan, o) => {
      const count = (removed: number): void => {
        swept += removed;
      };
      return call('sweep', STILL, o, (options) => backend.sweep(olderThan, options), count);
    },
    space: (o) => call('space', STILL, o, (options) => backend.space(options)),
    examine: (o) => call('examine', STILL, o, (options) => backend.examine(options)),
  };
}
