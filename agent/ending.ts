/** Milliseconds between being told to stop and being gone, come what may: a share that hangs included. */
export const LAST_MOMENT = 850;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface Ending {
  /** Fires when the process is told to stop. */
  stop: AbortController;
  /** Ends the process in a moment, unless it has ended by then. */
  dieSoon(): void;
  /** Ends the process as the signal that it got would have; does nothing if it got none. */
  dieOfSignal(): void;
  /** Ends the process by SIGKILL as soon as nothing is left to do: for one whose exit code nobody asks for. */
  dieWhenDone(): void;
}

/** How a process that serves git-lfs ends: by itself when nothing is left to do, and at signals, which it counts from now on. */
export function endingOfProcess(): Ending {
  const stop = new AbortController();
  let signalled: NodeJS.Signals | undefined;

  /**
   * `process.exit` would wait for ever for a read of stdin, or of a share that hangs: Node joins the threads that do them.
   * Only a signal's default action ends them.
   */
  const die = (): void => {
    for (const name of SIGNALS) process.removeAllListeners(name);
    process.kill(process.pid, signalled ?? 'SIGKILL');
  };
  const dieSoon = (): void => {
    setTimeout(die, LAST_MOMENT).unref();
  };
  for (const name of SIGNALS) {
    process.on(name, () => {
      signalled ??= name;
      dieSoon();
      stop.abort();
    });
  }
  return {
    stop,
    dieSoon,
    dieOfSignal: () => {
      if (signalled) die();
    },
    dieWhenDone: () => {
      // Node's own end may wait for ever: it joins V8's threads, and one that compiles may wait for the main thread to collect
      // garbage (nodejs/node#54918; seen with 26.10). No timer runs any more by then.
      process.once('exit', () => process.kill(process.pid, 'SIGKILL'));
    },
  };
}
