import { existsSync } from 'node:fs';
import { cancelled, DepotError } from '../backends/errors.ts';
import { progressMeter } from './progress.ts';
import { parseRequest, problemOf, type Reply, type Request, type TransferRequest } from './protocol.ts';
import type { Unhashed } from './refused.ts';
import { RequestQueue } from './request-queue.ts';

/** Moves one object; see transfer.ts. Resolves to the local file of a download. */
export type Transfer = (
  request: TransferRequest,
  options: {
    signal: AbortSignal;
    onProgress: (bytes: number) => void;
    /** Called before it resolves, with a download that nobody here hashed. */
    onUnhashed: (download: Unhashed) => void;
  },
) => Promise<string | undefined>;

export interface SessionOptions {
  /** The next line of input; undefined at its end. */
  nextLine: () => Promise<string | undefined>;
  /** Called with what belongs together: to be written at once, since each write wakes git-lfs up. */
  reply: (...messages: Reply[]) => void;
  /** Opens the store for this session, at the first object: init must be answered at once, 8 processes wait for it. */
  connect: (init: { operation: 'upload' | 'download'; remote: string }) => Promise<Transfer>;
  /** The first line is init, and was answered by whoever read it (handover.ts). */
  initAnswered: boolean;
  /** Called once, when no more requests will come. */
  onEnd: () => void;
  /** Fires when the process is told to stop. */
  stop: AbortSignal;
  /** Hands over a function that is to be called with the next error that nobody caught. */
  onCrash: (report: (error: unknown) => void) => void;
}

/** Milliseconds that unfinished work may go on after `terminate`, of the one second until the process is gone. */
const GRACE = 550;

/** Milliseconds that a cancelled transfer has to clean up behind itself; then it is answered for, as it may hang. */
const CLEANUP = 200;

/**
 * One agent process: init → transfers → terminate. Requests are answered in order, each exactly once, whatever they
 * hold. Lines are read while an object moves, so that the end of input, which is how an agent learns that git-lfs was
 * killed, stops the work at once. Resolves when all is answered.
 */
export async function runSession(options: SessionOptions): Promise<void> {
  const halt = new AbortController();
  const stop = (): void => {
    halt.abort();
    queue.end();
  };
  const queue = new RequestQueue();
  readRequests(options, queue, halt);
  options.stop.addEventListener('abort', stop);
  if (options.stop.aborted) stop();

  const session: Session = { ...options, signal: halt.signal, opening: undefined, unhashed: undefined };
  let init: Extract<Request, { event: 'init' }> | undefined;
  let first = true;
  for (let request = await queue.take(); request; request = await queue.take()) {
    const { unhashed } = session;
    session.unhashed = undefined;
    // With its next word git-lfs has hashed what it was given, and moved it away if it took it.
    if (unhashed && existsSync(unhashed.path)) (await import('./refused.ts')).tellRefused(unhashed);
    const silent = first && options.initAnswered;
    first = false;
    switch (request.event) {
      case 'init':
        if (init) options.reply({ error: problemOf(outOfOrder('a second init')) });
        else if (!silent) options.reply({});
        init ??= request;
        break;
      case 'upload':
      case 'download':
        options.reply(...(init ? await answer(request, init, session) : [tooEarly(request)]));
        // Nor has git-lfs looked at it if that was written before.
        if (!queue.isEmpty) session.unhashed = undefined;
        break;
      case 'invalid': {
        const error = problemOf(outOfOrder(request.why));
        if (!silent) options.reply(init ? { event: 'complete', oid: request.oid, error } : { error });
        break;
      }
      case 'terminate':
        queue.end();
        break;
    }
  }
}

interface Session extends SessionOptions {
  signal: AbortSignal;
  opening: Opening | undefined;
  /** What was answered last, if git-lfs alone hashes it. */
  unhashed: Unhashed | undefined;
}

interface Opening {
  transfer: Promise<Transfer>;
  /** The whole story stands with the first object; 999 repetitions of its hint would bury it. */
  failureTold: boolean;
}

/** Moves one object and gives the messages that complete it; never rejects. */
async function answer(
  request: TransferRequest,
  init: Extract<Request, { event: 'init' }>,
  session: Session,
): Promise<Reply[]> {
  const { oid, size } = request;
  const what = `cannot ${request.event} ${oid}`;
  const own = new AbortController();
  const { reply, signal } = session;
  const last: Reply[] = [];
  let tell: (message: Reply) => void = reply;
  const progress = progressMeter(size, (bytesSoFar, bytesSinceLast) => {
    tell({ event: 'progress', oid, bytesSoFar, bytesSinceLast });
  });

  let cancel = (): void => {};
  const outside = new Promise<never>((_, reject) => {
    session.onCrash(reject);
    cancel = () => {
      own.abort();
      setTimeout(() => reject(cancelled(what)), CLEANUP).unref();
    };
  });
  outside.catch(() => {});
  signal.addEventListener('abort', cancel);
  try {
    if (signal.aborted) throw cancelled(what);
    session.opening ??= { transfer: Promise.race([session.connect(init), outside]), failureTold: false };
    const move = await Promise.race([session.opening.transfer, outside]);
    let unhashed: Unhashed | undefined;
    const onUnhashed = (download: Unhashed): void => {
      unhashed = download;
    };
    const moving = move(request, { signal: own.signal, onProgress: progress.report, onUnhashed });
    const path = await Promise.race([moving, outside]);
    session.unhashed = unhashed;
    tell = (message) => last.push(message);
    progress.finish();
    return [...last, path === undefined ? { event: 'complete', oid } : { event: 'complete', oid, path }];
  } catch (error) {
    own.abort();
    return [{ event: 'complete', oid, error: await problemFor(error, session) }];
  } finally {
    signal.removeEventListener('abort', cancel);
    progress.close();
  }
}

/** The error for one object; only its first line if opening the store failed, and an earlier object told the whole. */
async function problemFor(error: unknown, { opening }: Session) {
  const { code, message } = problemOf(error);
  if (!opening || (await failureOf(opening.transfer)) !== error) return { code, message };
  const short = opening.failureTold ? (message.split('\n')[0] ?? '') : message;
  opening.failureTold = true;
  return { code, message: short };
}

/** What a promise was rejected with; undefined while it is open or when it was kept. */
function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return Promise.race([
    promise.then(
      () => undefined,
      (error) => error,
    ),
    new Promise((resolve) => setImmediate(resolve)),
  ]);
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

function tooEarly({ event, oid }: TransferRequest): Reply {
  return { event: 'complete', oid, error: problemOf(outOfOrder(`${event} before init`)) };
}

function outOfOrder(why: string): DepotError {
  const cure = 'lfs-depot agent is started by git-lfs; if git-lfs did start it, please report this';
  return new DepotError('internal', { what: 'git-lfs sent something unexpected', why, cure });
}
