import { fstatSync } from 'node:fs';
import { describe } from '../../backends/errors.ts';
import { endingOfProcess } from '../ending.ts';
import { takeHandover } from '../handover.ts';
import { printReplies } from '../protocol.ts';
import { runSession } from '../session.ts';
import { readLines, writeLine } from '../stdio.ts';
import { trace, traceAlways } from '../trace.ts';

/**
 * What git-lfs starts: speaks the transfer protocol on stdin and stdout until git-lfs is done, and ends the process.
 * @param location goes before all settings, as typed in `lfs.customtransfer.<name>.args`.
 */
export async function agent(location: string | undefined): Promise<void> {
  traceAlways();
  const handover = takeHandover(process.env);
  if (handover.hub) {
    const { serveWorkers } = await import('../hub/hub.ts');
    return serveWorkers(handover.hub);
  }
  if (isTerminal(0)) {
    process.stderr.write('lfs-depot agent is started by git-lfs. To set lfs-depot up, run: lfs-depot install\n');
  }
  const { stop, dieSoon, dieOfSignal } = endingOfProcess();
  let reportCrash = (error: unknown): void => trace(describe(error));
  process.on('uncaughtException', (error) => reportCrash(error));
  process.on('unhandledRejection', (error) => reportCrash(error));

  const nextLine = readLines(0);
  await runSession({
    nextLine: async () => handover.lines.shift() ?? (await nextLine()),
    initAnswered: handover.initAnswered,
    reply: (...messages) => {
      if (writeLine(1, printReplies(messages))) return;
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
  dieOfSignal();
}

/** `tty.isatty` would load the network modules. */
function isTerminal(fd: number): boolean {
  try {
    return fstatSync(fd).isCharacterDevice();
  } catch {
    return false;
  }
}
