import { cancelled, describe } from '../../backends/errors.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Milliseconds that work has to end after a signal and to remove its temp files: what hangs, hangs longer. */
const LAST_MOMENT = 2000;

/**
 * Ctrl-C lets `work` stop by itself, and remove its temp files; the second one, or a place that hangs, ends the process.
 * @param what for the error: "cannot finish …".
 * @throws DepotError `cancelled`, whatever became of the work, once there was a signal.
 */
export async function stopOnInterrupt<T>(what: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  let isTold = false;
  const handlers = SIGNALS.map((name) => {
    const handler = (): void => {
      stop.abort();
      // Not `process.exit`, which waits for a call that hangs: only a signal's default action ends that.
      setTimeout(() => {
        // On a terminal, below what a meter has written.
        const below = process.stderr.isTTY ? '\n' : '';
        if (!isTold) process.stderr.write(`${below}error: ${describe(cancelled(what))}\n`);
        process.removeAllListeners(name);
        process.kill(process.pid, name);
      }, LAST_MOMENT).unref();
    };
    process.once(name, handler);
    return [name, handler] as const;
  });
  try {
    return await work(stop.signal);
  } catch (error) {
    // Ctrl-C goes to what we have started, too: a git that was ended by it has not failed.
    throw stop.signal.aborted ? cancelled(what) : error;
  } finally {
    isTold = true;
    for (const [name, handler] of handlers) process.off(name, handler);
  }
}
