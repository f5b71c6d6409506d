// A fake: a layer over any backend in which calls fail as a script tells, to see what those above make of it.
import type { Backend, CallOptions } from '../../backends/backend.ts';
import type { DepotError } from '../../backends/errors.ts';

export interface Fault {
  verb: 'stat' | 'put' | 'get' | 'digest' | 'read' | 'sweep';
  /** Before anything is done; when the first bytes have moved; or when all is done and only the answer is lost. */
  at: 'before' | 'middle' | 'after';
  /** What the call fails with; or what happens then instead, such as a cancel or another writer. */
  meet: DepotError | (() => void | Promise<void>);
}

/** Each fault meets one call of its verb, in the order of the script; further calls are as ever. */
export function faulty(backend: Backend, script: Fault[]): Backend {
  const left = [...script];

  async function call<T>(verb: Fault['verb'], options: CallOptions | undefined, work: (o: CallOptions) => Promise<T>) {
    const index = left.findIndex((fault) => fault.verb === verb);
    const [fault] = index < 0 ? [] : left.splice(index, 1);
    if (!fault) return work(options ?? {});
    const { at, meet } = fault;
    if (at === 'middle') return cutShort(meet, options ?? {}, work);
    if (at === 'before') await act(meet);
    const result = await work(options ?? {});
    if (at === 'after') await act(meet);
    return result;
  }

  return {
    ...backend,
    stat: (path, o) => call('stat', o, (options) => backend.stat(path, options)),
    put: (path, localFile, o) => call('put', o, (options) => backend.put(path, localFile, { ...o, ...options })),
    get: (path, localFile, o) => call('get', o, (options) => backend.get(path, localFile, { ...o, ...options })),
    digest: (path, o) => call('digest', o, (options) => backend.digest(path, options)),
    read: (path, o) => call('read', o, (options) => backend.read(path, options)),
    sweep: (olderThan, o) => call('sweep', o, (options) => backend.sweep(olderThan, options)),
  };
}

async function act(meet: Fault['meet']): Promise<void> {
  if (typeof meet !== 'function') throw meet;
  await meet();
}

/** Stops the work at its first bytes, as a cut connection does, and fails with the scripted error. */
async function cutShort<T>(meet: Fault['meet'], options: CallOptions, work: (o: CallOptions) => Promise<T>) {
  const cut = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, cut.signal]) : cut.signal;
  let met = false;
  const onProgress = (bytes: number): void => {
    options.onProgress?.(bytes);
    if (met) return;
    met = true;
    if (typeof meet === 'function') void meet();
    else cut.abort();
  };
  try {
    return await work({ ...options, signal, onProgress });
  } catch (error) {
    throw cut.signal.aborted && typeof meet !== 'function' ? meet : error;
  }
}
