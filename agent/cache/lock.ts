import { randomBytes } from 'node:crypto';
import { type FileHandle, open, readFile, rm, stat } from 'node:fs/promises';
import { errorCode } from '../../backends/system-error.ts';

export interface Lock {
  /** False when somebody took it for a dead one's. */
  isMine(): Promise<boolean>;
  release(): Promise<void>;
}

/** A lock that was not refreshed for so long, in milliseconds, is a dead process's. */
const STALE = 30_000;
const REFRESH = 5_000;

/**
 * A file that one process at a time can make; Node has no locks of the system's. Undefined when somebody else has it.
 *
 * Of two who find a dead one's lock at the same moment, one may remove the other's new one. So whoever has it asks once
 * more before the one step that only one may do: `isMine`.
 * @param now milliseconds, by the clock of the storage.
 */
export async function takeLock(path: string, now: number): Promise<Lock | undefined> {
  const token = randomBytes(12).toString('hex');
  const handle = (await create(path)) ?? ((await isStale(path, now)) ? await takeOver(path) : undefined);
  if (!handle) return undefined;
  // By writing, since then the time is by the storage's clock.
  const refresh = async (): Promise<void> => void (await handle.write(token, 0));
  await refresh();
  const timer = setInterval(() => refresh().catch(() => {}), REFRESH);
  timer.unref();

  const isMine = async (): Promise<boolean> => {
    try {
      return (await readFile(path, 'utf8')) === token;
    } catch {
      return false;
    }
  };
  return {
    isMine,
    release: async () => {
      clearInterval(timer);
      await handle.close();
      if (await isMine()) await rm(path, { force: true });
    },
  };
}

async function create(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'wx');
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return undefined;
    throw error;
  }
}

async function isStale(path: string, now: number): Promise<boolean> {
  try {
    return now - (await stat(path)).mtimeMs > STALE;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

async function takeOver(path: string): Promise<FileHandle | undefined> {
  await rm(path, { force: true });
  return create(path);
}
