import { describe } from '../../backends/errors.ts';
import { connect } from '../connect.ts';
import { type Ending, endingOfProcess, LAST_MOMENT } from '../ending.ts';
import { workFor } from '../parent.ts';
import { parseRequest, printReplies } from '../protocol.ts';
import { runSession, type Transfer } from '../session.ts';
import { trace, traceTo } from '../trace.ts';
import { transferWith } from '../transfer.ts';
import { takeAnswers } from './asked-before.ts';
import { isGone, type Meeting, meetingAt } from './meeting.ts';
import type { Worker } from './worker.ts';

/** Milliseconds between two looks whether git-lfs is still there. */
const OFTEN = 100;

/** So many looks after which a hub without a worker leaves: it cannot help any. */
const PATIENCE = 20;

/** Milliseconds that the first worker waits for the others. */
const TOGETHER = 300;

/**
 * One process for all the workers that one git-lfs starts: a Node of its own for each would cost eight times its start and its
 * memory (docs/architecture.md, "The hub"). Each worker is a session, with the pipes that git-lfs gave it. The first is there
 * already, and as git-lfs starts it for an object, the store is opened at once, while git-lfs still starts the others.
 */
export async function serveWorkers({ file, init }: { file: string; init: string }): Promise<void> {
  const ending = endingOfProcess();
  const sessions = new Sessions();
  traceTo(() => sessions.newest()?.stderr);
  process.on('uncaughtException', (error) => sessions.crash(error));
  process.on('unhandledRejection', (error) => sessions.crash(error));

  const openFor = connections(takeAnswers());
  const meeting = meetingAt(file, (worker) => {
    sessions.add(worker);
    void serve(worker, { ending, openFor, onCrash: (report) => sessions.reportTo(worker, report) }).finally(() => {
      sessions.remove(worker);
    });
  });
  workFor(meeting.parent.pid);
  const first = parseRequest(init);
  if (first.event === 'init') openFor(first).catch(() => {});
  process.on('SIGURG', () => meeting.look());
  meeting.look();
  await untilAllHaveLeft(meeting, sessions, ending);
  ending.dieSoon();
  ending.dieOfSignal();
  // Nobody would kill it, and nobody see it.
  ending.dieWhenDone();
}

/** The workers that are served, each with what answers for it when something fails that nobody caught. */
class Sessions {
  readonly #open = new Map<Worker, (error: unknown) => void>();
  /** Called when one has ended. */
  onEnd = (): void => {};

  add(worker: Worker): void {
    this.#open.set(worker, () => {});
  }

  /** Does nothing once the worker has ended: what hung may go on after that. */
  reportTo(worker: Worker, report: (error: unknown) => void): void {
    if (this.#open.has(worker)) this.#open.set(worker, report);
  }

  remove(worker: Worker): void {
    this.#open.delete(worker);
    this.onEnd();
  }

  newest(): Worker | undefined {
    return [...this.#open.keys()].at(-1);
  }

  /** Whose it is cannot be told: it is each one's. */
  crash(error: unknown): void {
    trace(describe(error));
    for (const report of this.#open.values()) report(error);
  }
}

/** Resolves when the last worker is served, or when git-lfs has gone before there was any. */
function untilAllHaveLeft(meeting: Meeting, sessions: Sessions, ending: Ending): Promise<void> {
  return new Promise((resolve) => {
    let looks = 0;
    const timer = setInterval(() => {
      meeting.look();
      const gone = isGone(meeting.parent);
      if (gone) ending.dieSoon();
      if (gone || !meeting.isOfUse || ++looks > PATIENCE) leave();
    }, OFTEN);
    const leave = (): void => {
      if (sessions.newest()) return;
      meeting.close();
      // Who asked in the meantime is served: nobody else can find the way here any more.
      meeting.look();
      if (sessions.newest()) return;
      // git-lfs waits for the first worker: when it goes on, nothing of the hub is left to be seen.
      meeting.releaseFirst();
      clearInterval(timer);
      resolve();
    };
    sessions.onEnd = () => {
      // git-lfs ends all workers at once. Where one goes on, the first must not keep it waiting.
      if (sessions.newest()) setTimeout(() => meeting.releaseFirst(), TOGETHER).unref();
      else leave();
    };
    ending.stop.signal.addEventListener('abort', leave);
    if (ending.stop.signal.aborted || !meeting.isOfUse) leave();
  });
}

interface Service {
  ending: Ending;
  openFor: (init: Init) => Promise<Transfer>;
  onCrash: (report: (error: unknown) => void) => void;
}

type Init = { operation: 'upload' | 'download'; remote: string };

async function serve(worker: Worker, { ending, openFor, onCrash }: Service): Promise<void> {
  const halted = new AbortController();
  const stop = AbortSignal.any([ending.stop.signal, halted.signal]);
  let timer: NodeJS.Timeout | undefined;
  let endSoon = (): void => {};
  const late = new Promise<void>((resolve) => {
    endSoon = () => {
      timer ??= setTimeout(resolve, LAST_MOMENT).unref();
    };
  });
  stop.addEventListener('abort', endSoon);
  const session = runSession({
    nextLine: () => worker.nextLine(),
    initAnswered: true,
    reply: (...messages) => {
      if (!worker.write(printReplies(messages))) halted.abort();
    },
    connect: openFor,
    onEnd: () => endSoon(),
    stop,
    onCrash,
  });
  // Nobody waits for what hangs; the process's end ends it.
  await Promise.race([session, late]);
  clearTimeout(timer);
  stop.removeEventListener('abort', endSoon);
  worker.close();
}

/** Each way to the objects is opened once, as long as it can be: what failed is tried again for the next worker. */
function connections(ready: Promise<void>): (init: Init) => Promise<Transfer> {
  const open = new Map<string, Promise<Transfer>>();
  return ({ operation, remote }) => {
    const key = JSON.stringify([operation, remote]);
    const opening = open.get(key) ?? ready.then(() => opened({ operation, remote }));
    open.set(key, opening);
    opening.catch(() => open.delete(key));
    return opening;
  };
}

async function opened(init: Init): Promise<Transfer> {
  const { objects, tempFolder } = await connect(init);
  return transferWith(objects, tempFolder);
}
