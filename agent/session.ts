import { cancelled, DepotError } from '../backends/errors.ts';
import { parseRequest, problemOf, type Reply, type Request, type TransferRequest } from './protocol.ts';

/** Moves one object; see transfer.ts. Resolves to the local file of a download. */
export type Transfer = (
  request: TransferRequest,
  options: { signal: AbortSignal; onProgress: (bytes: number) => void },
) => Promise<string | undefined>;

export interface SessionOptions {
  /** The next line of input; undefined at its end. */
  nextLine: () => Promise<string | undefined>;
  reply: (message: Reply) => void;
  /** Opens the store for this session, at the first object: init must be answered at once, 8 processes wait for it. */
  connect: (init: { operation: 'upload' | 'download'; remote: string }) => Promise<Transfer>;
  /** The init line is read already, and was answered by whoever read it (handover.ts). */
  initAnswered: boolean;
  /** Called once, when no more requests will come. */
  onEnd: () => void;
  /** Fires when the process is told to stop. */
  stop: AbortSignal;
  /** Rejects when something failed that nobody caught. */
  crash: Promise<never>;
}

/** Milliseconds between two progress messages of one object: ten a second are plenty for a progress meter. */
const PROGRESS_PAUSE = 100;

/** Milliseconds that unfinished work may go on after `terminate`, of the one second until the process is gone. */
const GRACE = 600;

/**
 * One agent process: init → transfers → terminate. Requests are answered in order, each exactly once, whatever they
 * hold. Lines are read while an object moves, so that the end of input, which is how an agent learns that git-lfs was
 * killed, stops the work at once. Resolves when all is answered.
 */
export async function runSession(options: SessionOptions): Promise<void> {
  const halt = new AbortController();
  const signal = AbortSignal.any([halt.signal, options.stop]);
  const queue = new RequestQueue();
  const reading = readRequests(options, queue, halt);
  options.stop.addEventListener('abort', () => queue.end());
  if (options.stop.aborted) queue.end();
  const stopped = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(cancelled('cannot open the store')));
  });
  stopped.catch(() => {}); // Nobody waits for it between two objects.

  let opening: Opening | undefined;
  let init: Extract<Request, { event: 'init' }> | undefined;
  for (let request = await queue.take(); request; request = await queue.take()) {
    switch (request.event) {
      case 'init':
        if (init) options.reply({ error: problemOf(outOfOrder('a second init')) });
        else if (!options.initAnswered) options.reply({});
        init ??= request;
        break;
      case 'upload':
      case 'download': {
        if (!init) {
          options.reply({
            event: 'complete',
            oid: request.oid,
            error: problemOf(outOfOrder(`${request.event} before init`)),
          });
          break;
        }
        opening ??= { transfer: Promise.race([options.connect(init), stopped, options.crash]), failureTold: false };
        options.reply(await answer(request, opening, signal, options));
        break;
      }
      case 'invalid': {
        const error = problemOf(outOfOrder(request.why));
        options.reply(init ? { event: 'complete', oid: request.oid, error } : { error });
        break;
      }
      case 'terminate':
        queue.end();
        break;
    }
  }
  // Not awaited after a signal: nothing may ever come.
  if (!options.stop.aborted) await reading;
}

interface Opening {
  transfer: Promise<Transfer>;
  /** The whole story stands with the first object; 999 repetitions of its hint would bury it. */
  failureTold: boolean;
}

/** Moves one object and gives the message that completes it; never rejects. */
async function answer(
  request: TransferRequest,
  opening: Opening,
  signal: AbortSignal,
  { reply, crash }: SessionOptions,
): Promise<Reply> {
  const { oid, size } = request;
  const progress = meter(
    (bytesSoFar, bytesSinceLast) => reply({ event: 'progress', oid, bytesSoFar, bytesSinceLast }),
    size,
  );
  try {
    if (signal.aborted) throw cancelled(`cannot ${request.event} ${oid}`);
    const move = await opening.transfer.catch((error) => {
      const { code, message } = problemOf(error);
      const short = opening.failureTold ? message.split('\n', 1).join() : message;
      opening.failureTold = true;
      return { code, message: short };
    });
    if (typeof move !== 'function') return { event: 'complete', oid, error: move };
    const path = await Promise.race([move(request, { signal, onProgress: progress.report }), crash]);
    progress.finish();
    return path === undefined ? { event: 'complete', oid } : { event: 'complete', oid, path };
  } catch (error) {
    return { event: 'complete', oid, error: problemOf(error) };
  } finally {
    progress.close();
  }
}

/**
 * Thins out progress: the first bytes are told at once, because git-lfs holds back its other workers until then; the
 * last message equals the size, because git-lfs's meter is wrong otherwise; never backwards.
 */
function meter(tell: (soFar: number, sinceLast: number) => void, size: number) {
  let told = 0;
  let toldAt = 0;
  let closed = false;
  const report = (bytes: number): void => {
    if (closed || bytes <= told || bytes >= size) return;
    const now = performance.now();
    if (told > 0 && now - toldAt < PROGRESS_PAUSE) return;
    tell(bytes, bytes - told);
    told = bytes;
    toldAt = now;
  };
  const finish = (): void => {
    if (told < size) tell(size, size - told);
  };
  const close = (): void => {
    closed = true;
  };
  return { report, finish, close };
}

async function readRequests({ nextLine, onEnd }: SessionOptions, queue: RequestQueue, halt: AbortController) {
  for (;;) {
    const line = await nextLine();
    if (line === undefined) {
      onEnd();
      halt.abort();
      return queue.end();
    }
    if (line.trim() === '') continue;
    const request = parseRequest(line);
    queue.add(request);
    if (request.event === 'terminate') {
      onEnd();
      setTimeout(() => halt.abort(), GRACE).unref();
      return;
    }
  }
}

/** What was read and not yet answered. Requests that were read before the end are still taken, to be answered. */
class RequestQueue {
  readonly #waiting: Request[] = [];
  #ended = false;
  #wake: (() => void) | undefined;

  add(request: Request): void {
    this.#waiting.push(request);
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async take(): Promise<Request | undefined> {
    while (this.#waiting.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#waiting.shift();
  }
}

function outOfOrder(why: string): DepotError {
  const cure = 'lfs-depot agent is started by git-lfs; if git-lfs did start it, please report this';
  return new DepotError('internal', { what: 'git-lfs sent something unexpected', why, cure });
}
