import { DepotError } from '../backends/errors.ts';

/** Milliseconds that a place has to show that it is there: a share that hangs must not hang a push for ever. */
const TIMEOUT = 60_000;

/**
 * What `work` resolves to, if that is soon.
 * @param work is told by the signal when nobody waits for it any more: else it would keep a command from ending.
 * @throws DepotError `unreachable` when nothing answers.
 */
export async function answering<T>(
  place: string,
  work: (signal: AbortSignal) => Promise<T>,
  timeout = TIMEOUT,
): Promise<T> {
  const opening = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const why = `it has not answered for ${timeout / 1000} seconds`;
      const cure = 'check the network and the server, or mount the share again';
      reject(new DepotError('unreachable', { what: `cannot open ${place}`, why, cure, temporary: true }));
      opening.abort();
    }, timeout);
  });
  try {
    return await Promise.race([work(opening.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}
