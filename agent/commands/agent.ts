import { fstatSync } from 'node:fs';
import { describe } from '../../backends/errors.ts';
import { takeHandover } from '../handover.ts';
import { printReply } from '../protocol.ts';
import { runSession } from '../session.ts';
import { readLines, writeLine } from '../stdio.ts';
import { trace, traceAlways } from '../trace.ts';

/** Milliseconds between being told to stop and being gone, come what may: a share that hangs included. */
const LAST_MOMENT = 850;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * What git-lfs starts: speaks the transfer protocol on stdin and stdout until git-lfs is done, and ends the process.
 * @param location goes before all settings, as typed in `lfs.customtransfer.<name>.args`.
 */
export async function agent(location: string | undefined): Promise<void> {
  if (isTerminal(0)) {
    process.stderr.write('lfs-depot agent is started by git-lfs. To set lfs-depot up, run: lfs-depot install\n');
  }
  traceAlways();
  const stop = new AbortController();
  let signalled: NodeJS.Signals | undefined;

  /**
   * The process ends by itself when nothing is left to do. `process.exit` would wait for ever for a read of stdin, or of
   * a share that hangs: Node joins the threads that do them. Only a signal's default action ends them.
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

  let reportCrash = (error: unknown): void => trace(describe(error));
  process.on('uncaughtException', (error) => reportCrash(error));
  process.on('unhandledRejection', (error) => reportCrash(error));

  const nextLine = readLines(0);
  const handover = takeHandover(process.env);
  await runSession({
    nextLine: async () => handover.lines.shift() ?? (await nextLine()),
    initAnswered: handover.initAnswered,
    reply: (message) => {
      if (writeLine(1, printReply(message))) return;
      dieSoon();
      stop.abort();
    },
    connect: async (init) => {
      // Loaded with the first object: most of the eight processes that git-lfs starts never get one.
      const [{ connect }, { transferWith }] = await Promise.all([import('../connect.ts'), import('../transfer.ts')]);
      const { objects, tempFolder } = await connect(init, location);
      return transferWith(objects, tempFolder);
    },
    onEnd: dieSoon,
    stop: stop.signal,
    // What nobody caught is the answer for the object in hand; between two objects only the trace has it.
    onCrash: (report) => {
      reportCrash = (error) => {
        trace(describe(error));
        report(error);
      };
    },
  });
  if (signalled) die();
}

/** `tty.isatty` would load the network modules. */
function isTerminal(fd: number): boolean {
  try {
    return fstatSync(fd).isCharacterDevice();
  } catch {
    return false;
  }
}
