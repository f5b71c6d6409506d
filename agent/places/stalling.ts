import type { CallOptions } from '../../backends/backend.ts';
import { DepotError } from '../../backends/errors.ts';

/** Milliseconds without a byte, as a place has when there are others to ask. A server has limits of its own, and shorter ones. */
export const STALL = 60_000;

/**
 * Work that is given up when nothing moves for long: a folder on a share that goes away hangs whoever touches it, for ever, and
 * cannot be made to stop. It is told to, and left behind: what it may still do must do no harm.
 * @param work gets a signal and a meter of its own.
 * @throws DepotError `unreachable`.
 */
export async function unlessStalled<T>(
  what: string,
  options: CallOptions,
  work: (options: CallOptions) => Promise<T>,
  limit = STALL,
): Promise<T> {
  const own = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, own.signal]) : own.signal;
  let timer: NodeJS.Timeout | undefined;
  const stalled = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const why = `nothing has moved for ${limit / 1000} seconds`;
      const cure = 'check the network and the server, or mount the share again';
      reject(new DepotError('unreachable', { what, why, cure, temporary: true }));
      own.abort();
    }, limit);
  });
  const onProgress = (bytes: number): void => {
    timer?.refresh();
    options.onProgress?.(bytes);
  };
  try {
    return await Promise.race([work({ signal, onProgress }), stalled]);
  } finally {
    clearTimeout(timer);
  }
}
