import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { isKind } from '../../backends/errors.ts';
import { errorCode } from '../../backends/system-error.ts';
import type { Config } from '../config.ts';
import { givenIn, readBoolean, refuse } from '../given.ts';
import { hold, isHeld } from '../held-file.ts';
import { notice, noticeOnce } from '../notice.ts';
import { parentPid } from '../parent.ts';
import type { Kept, Objects, StoreCall } from '../store.ts';
import { trace } from '../trace.ts';
import { partsOf } from '../transfer-files.ts';
import { amountOf } from './amount.ts';
import { backlogOf } from './backlog.ts';
import { deliver } from './deliver.ts';
import type { Spool } from './spool.ts';

export const OFFLINE = 'depot.offline';

/** `on`: pushes go to the spool; `auto`: they do when the place is out of reach; `off`: such a push fails. */
export type OfflineMode = 'off' | 'on' | 'auto';

/** `depot.offline`: false (default), true or auto, in any scope of git config. @throws DepotError `configuration`. */
export function offlineMode(config: Config): OfflineMode {
  const given = givenIn(config.get(OFFLINE));
  if (!given) return 'off';
  if (given.value.toLowerCase() === 'auto') return 'auto';
  try {
    return readBoolean(given) ? 'on' : 'off';
  } catch {
    throw refuse(given, `'${given.value}' is neither true, false nor auto`, `set ${OFFLINE} to true, false or auto`);
  }
}

interface Beside {
  /**
   * Asked after a put that failed because something is out of reach: whether that is true of all there is, so that no further
   * object need be tried. Not so where a quorum is missed by a mirror.
   */
  isOut?: () => boolean;
  /** The other spools of the clone: what waits for another place, or for this one under its old name, is read all the same. */
  others?: () => Promise<Spool[]>;
}

/**
 * Objects that wait in the spool while their place is out of reach. Once the place takes something again, all that waits is
 * delivered, by one of the processes of a push. What waits can be fetched, as if it were there already.
 */
export function spooling(inner: Objects, spool: Spool, mode: OfflineMode, beside: Beside = {}): Objects {
  const { isOut = () => true, others = async () => [] } = beside;
  let spools: Promise<Spool[]> | undefined;
  let away = mode === 'on';
  let delivering = false;

  async function put(oid: Parameters<Objects['put']>[0], size: number, localFile: string, options: StoreCall = {}) {
    away ||= mode === 'auto' && isKnownAway(spool);
    if (away) return keep(oid, size, localFile, options);
    // What waits here was told to be kept: it may be the only good copy, until the place has a verified one.
    const waits = await spool.has(oid);
    let kept: Kept;
    try {
      kept = await inner.put(oid, size, localFile, waits ? { ...options, suspect: true } : options);
    } catch (error) {
      if (mode !== 'auto' || !isKind(error, 'unreachable', 'no-store')) throw error;
      trace(`${oid} is spooled: ${error.message}`);
      if (isOut()) {
        // Once is enough: 500 objects must not wait 500 times for nothing.
        away = true;
        await tellAway(spool);
      }
      return keep(oid, size, localFile, options);
    }
    if (waits) await spool.drop(oid);
    await deliverOnce(options.signal);
    return kept;
  }

  async function keep(...args: Parameters<Objects['put']>): Promise<'spooled'> {
    await spool.put(...args);
    const gone = away ? `${inner.location} is out of reach` : 'too few places are in reach';
    const why = mode === 'on' ? 'offline mode is on' : gone;
    const whose = mode === 'on' ? `objects for ${inner.location}` : 'objects';
    const until = 'until `lfs-depot sync` (colleagues cannot have them before)';
    noticeOnce(spool.folder, 'spooled', `${why}: ${whose} are kept on this computer ${until}`);
    return 'spooled';
  }

  /** Before the push ends, since nothing of ours runs after it. That it fails is no failure of this push. */
  async function deliverOnce(signal: AbortSignal | undefined): Promise<void> {
    if (delivering) return;
    delivering = true;
    try {
      if (await spool.isEmpty()) return;
      const release = hold(join(spool.folder, 'claim'), String(process.pid), isRunning);
      if (!release) return;
      try {
        await deliverAll(signal);
      } finally {
        release();
      }
    } catch (error) {
      trace(`what waits in ${spool.folder} was not delivered: ${error}`);
    }
  }

  async function deliverAll(signal: AbortSignal | undefined): Promise<void> {
    const { objects, bytes } = await backlogOf(spool);
    if (objects > 0) notice(`delivering ${amountOf(objects, bytes)} that waited here for ${spool.location}`);
    const { failed, untried } = await deliver(spool, inner, { signal });
    const left = failed.length + untried;
    const why = failed.at(-1)?.error.message;
    if (left > 0) notice(`${left} of them still wait here${why ? `: ${why}` : ''}; later, run \`lfs-depot sync\``);
  }

  return {
    location: inner.location,
    resumes: inner.resumes,
    put,
    // Hashed here, whoever else does: there is a second place to get it from.
    async get(oid, size, localFile, { unhashed: _, ...call } = {}) {
      spools ??= others();
      for (const one of [spool, ...(await spools)]) {
        if (!(await one.has(oid))) continue;
        // What a download from the place has left is of no use: this one is new.
        for (const file of partsOf(localFile)) rmSync(file, { force: true });
        if (await one.get(oid, size, localFile, call)) return;
      }
      await inner.get(oid, size, localFile, call);
    },
  };
}

/**
 * The other processes of the push need not wait for the same silence: they begin once the first has something to tell of
 * its object. On Windows, where each has another parent, a push cannot be told from the next; there they do wait.
 */
async function tellAway(spool: Spool): Promise<void> {
  if (process.platform === 'win32') return;
  try {
    await spool.prepare();
    hold(awayFile(spool), String(parentPid()), isOfThisPush);
  } catch (error) {
    trace(`other processes are not told that ${spool.location} is out of reach: ${error}`);
  }
}

function isKnownAway(spool: Spool): boolean {
  return process.platform !== 'win32' && isHeld(awayFile(spool), isOfThisPush);
}

function awayFile(spool: Spool): string {
  return join(spool.folder, 'away');
}

/** All agents of a push have git-lfs for a parent. */
function isOfThisPush(parent: string): boolean {
  return parent === String(parentPid());
}

/** What was killed a moment ago has left its claim fresh. */
function isRunning(pid: string): boolean {
  try {
    return process.kill(Number(pid), 0);
  } catch (error) {
    return errorCode(error) !== 'ESRCH';
  }
}
