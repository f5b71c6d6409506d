import { fstatSync } from 'node:fs';
import { takeHandover } from '../handover.ts';
import { printReply } from '../protocol.ts';
import { runSession } from '../session.ts';
import { readLines, writeLine } from '../stdio.ts';

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
  const stop = new AbortController();
  let signalled: NodeJS.Signals | undefined;
  const input = readLines(0);

  /** Node cannot exit through a read of stdin or of a share that is under way; only a signal's default action can. */
  const leave = (atOnce: boolean): void => {
    for (const name of SIGNALS) process.removeAllListeners(name);
    if (signalled) process.kill(process.pid, signalled);
    else if (atOnce || input.state.pending) process.kill(process.pid, 'SIGKILL');
    else process.exit(0);
  };
  const leaveSoon = (): void => {
    setTimeout(() => leave(true), LAST_MOMENT).unref();
  };
  for (const name of SIGNALS) {
    process.on(name, () => {
      signalled ??= name;
      leaveSoon();
      stop.abort();
    });
  }

  const handover = takeHandover(process.env);
  await runSession({
    nextLine: async () => handover.lines.shift() ?? (await input.next()),
    initAnswered: handover.initAnswered,
    reply: (message) => {
      if (writeLine(1, printReply(message))) return;
      leaveSoon();
      stop.abort();
    },
    connect: async (init) => {
      // Loaded with the first object: most of the eight processes that git-lfs starts never get one.
      const [{ connect }, { transferWith }] = await Promise.all([import('../connect.ts'), import('../transfer.ts')]);
      const { store, tempFolder } = await connect(init, location);
      return transferWith(store, tempFolder);
    },
    onEnd: leaveSoon,
    stop: stop.signal,
    crash: uncaught(),
  });
  leave(false);
}

/** Rejects with the first error that nobody caught; it becomes the answer for the object in hand. */
function uncaught(): Promise<never> {
  const crash = new Promise<never>((_, reject) => {
    process.on('uncaughtException', reject);
    process.on('unhandledRejection', reject);
  });
  crash.catch(() => {});
  return crash;
}

/** `tty.isatty` would load the network modules. */
function isTerminal(fd: number): boolean {
  try {
    return fstatSync(fd).isCharacterDevice();
  } catch {
    return false;
  }
}
