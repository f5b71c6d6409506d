import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, link, open, readdir, rename, rm, stat, truncate, unlink, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Backend } from '../../backends/backend.ts';
import { isKind } from '../../backends/errors.ts';
import { errorCode } from '../../backends/system-error.ts';
import { trace } from '../trace.ts';
import { type Lock, takeLock } from './lock.ts';
import { BLOCK, blocksOf, evictOldest } from './objects.ts';

/**
 * Keeps the objects in a cache below their bound, whatever number of processes fill it, without counting them at each fill.
 *
 * - `usage`: a file whose *size* is how many blocks the objects have at most. To append to it is atomic, so that of two who
 *   claim room at once each sees the other's claim or is seen by it.
 * - `tmp/depot-fill-<hex>@<blocks>`: a *note* that a process is about to fill so much; made before the claim, removed after the
 *   object has its name.
 * - `evicting`: the lock of the one process that makes room. It first takes `usage` away, upon which no claim holds; then it
 *   counts the notes, then the objects, of which the oldest go; then it writes a new `usage`. Whoever's claim held before
 *   has a note, or an object by now, and one of the two is counted.
 *
 * So a crash leaves the estimate too high (a claim without an object, a note without a process), never too low, and the next
 * count puts it right. Who finds `usage` gone and the lock taken waits a little, and then does without: a cache may always
 * not keep something.
 */
export interface Room {
  root: string;
  /** Bytes. */
  bound: number;
  backend: Backend;
  /**
   * Milliseconds that this process still waits for others, who make room or have just begun with the cache. All its waits
   * together, so that a dead process's lock does not cost as much for each object.
   */
  patience: number;
}

/** See Room. */
export const PATIENCE = 4_000;
const PAUSE = 20;

const USAGE = 'usage';
const LOCK = 'evicting';
const NOTE = /^depot-fill-[0-9a-f]+@(\d+)$/;

/** How much of the bound is left in use when room is made: else the next fill would have to do it again. */
const GOAL = 0.8;

/**
 * Notes and temp files that were not touched for longer, in milliseconds, are dead processes'. Whoever was only stopped for
 * so long notices that its note is gone.
 */
const DEAD = 10 * 60 * 1000;
const SIGN_OF_LIFE = 60 * 1000;

/**
 * Calls `publish`, which brings an object of `size` bytes, if there is room for it, or can be made.
 * @returns `overdue` when it took so long that its claim may have been forgotten: the object must go again.
 */
export async function withRoom(
  room: Room,
  size: number,
  signal: AbortSignal | undefined,
  publish: () => Promise<unknown>,
): Promise<'published' | 'no room' | 'busy' | 'overdue'> {
  const blocks = blocksOf(size);
  const note = temp(room, `fill-${hex()}@${blocks}`);
  await (await open(note, 'wx')).close();
  const timer = setInterval(() => void touch(note), SIGN_OF_LIFE);
  timer.unref();
  let isNoted = true;
  try {
    let answer = await roomFor(blocks, room, note, signal);
    while (answer === 'busy' && room.patience > 0) {
      room.patience -= PAUSE;
      await sleep(PAUSE, undefined, { signal });
      answer = await roomFor(blocks, room, note, signal);
    }
    if (answer !== 'room') return answer;
    await publish();
  } finally {
    clearInterval(timer);
    isNoted = await removed(note);
  }
  return isNoted ? 'published' : 'overdue';
}

async function roomFor(blocks: number, room: Room, note: string, signal: AbortSignal | undefined): Promise<Answer> {
  return (await claim(room, blocks)) ? 'room' : makeRoom(room, blocks, note, signal);
}

type Answer = 'room' | 'no room' | 'busy';

/** False when the cache is full, or when nobody knows just now. */
async function claim({ root, bound }: Room, blocks: number): Promise<boolean> {
  const path = join(root, USAGE);
  const usage = await openUsage(path);
  if (!usage) return false;
  try {
    const before = await usage.stat();
    if (!before.isFile() || (before.size + blocks) * BLOCK > bound) return false;
    await append(usage, blocks);
    const mine = await usage.stat({ bigint: true });
    if (mine.size * BigInt(BLOCK) > BigInt(bound)) return false;
    // Taken away since? Then whoever counts may have looked at the notes before ours was there.
    const standing = await ifThere(stat(path, { bigint: true }));
    return standing?.ino === mine.ino && standing.dev === mine.dev;
  } finally {
    await usage.close();
  }
}

/** What Linux and macOS say of a link, a pipe that nobody reads from, and a folder. */
const NO_FILE = new Set(['ENOENT', 'ELOOP', 'ENXIO', 'EISDIR']);

/** Who else may write here could have made it a link to another file, or a pipe to wait at: then it is counted anew. */
async function openUsage(path: string): Promise<FileHandle | undefined> {
  const { O_WRONLY, O_APPEND, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
  try {
    return await open(path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    if (NO_FILE.has(errorCode(error) ?? '')) return undefined;
    throw error;
  }
}

const ZEROS = Buffer.alloc(64 * 1024);

async function append(file: FileHandle, bytes: number): Promise<void> {
  for (let left = bytes; left > 0; ) {
    left -= (await file.write(ZEROS, 0, Math.min(left, ZEROS.length))).bytesWritten;
  }
}

async function makeRoom(room: Room, blocks: number, note: string, signal: AbortSignal | undefined): Promise<Answer> {
  const lock = await takeLock(join(room.root, LOCK), (await stat(note)).mtimeMs);
  if (!lock) return 'busy';
  try {
    // Somebody else may have made room while we came here.
    if (await claim(room, blocks)) return 'room';
    return await recount(room, lock, signal);
  } finally {
    await lock.release();
  }
}

/** Our own note is among those that are counted. */
async function recount(room: Room, lock: Lock, signal: AbortSignal | undefined): Promise<Answer> {
  const { root } = room;
  await takeAway(room);
  await sweep(room, signal);
  // The notes before the objects: an object gets its name before its note goes.
  const noted = await notedBlocks(room);
  const rest = await evictOldest(root, Math.floor((room.bound * GOAL) / BLOCK) - noted, signal);
  const blocks = rest.blocks + noted;
  if (rest.removed > 0)
    trace(`the cache ${root} was full: ${rest.removed} objects that were not used for long are gone`);
  if (!(await lock.isMine())) return 'busy';
  await writeUsage(room, blocks);
  return blocks * BLOCK <= room.bound ? 'room' : 'no room';
}

/** Renamed first: on Windows a name can stay taken for as long as somebody holds the removed file open. */
async function takeAway(room: Room): Promise<void> {
  const old = temp(room, `usage-${hex()}`);
  try {
    await rename(join(room.root, USAGE), old);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    throw error;
  }
  await rm(old, { force: true }).catch(() => {});
}

async function sweep({ root, backend }: Room, signal: AbortSignal | undefined): Promise<void> {
  try {
    await backend.sweep(DEAD, { signal });
  } catch (error) {
    if (isKind(error, 'cancelled')) throw error;
    trace(`old temp files in the cache ${root} were not removed: ${error}`);
  }
}

async function notedBlocks({ root, backend }: Room): Promise<number> {
  const names = await readdir(join(root, backend.temp));
  return names.reduce((sum, name) => sum + Number(NOTE.exec(name)?.[1] ?? 0), 0);
}

/** With group and mode of the cache, for whoever else fills it. Never over a newer one. */
async function writeUsage(room: Room, blocks: number): Promise<void> {
  const name = `depot-usage-${hex()}`;
  await room.backend.write(`${room.backend.temp}/${name}`, Buffer.alloc(0));
  const fresh = join(room.root, room.backend.temp, name);
  const usage = join(room.root, USAGE);
  try {
    await truncate(fresh, blocks);
    await link(fresh, usage).catch(async (error) => {
      if (errorCode(error) === 'EEXIST') return;
      // Where there are no hard links, the lock alone must do.
      await rename(fresh, usage);
    });
  } finally {
    await rm(fresh, { force: true });
  }
}

function temp({ root, backend }: Room, name: string): string {
  return join(root, backend.temp, `depot-${name}`);
}

function hex(): string {
  return randomBytes(12).toString('hex');
}

async function touch(note: string): Promise<void> {
  const now = new Date();
  await utimes(note, now, now).catch(() => {});
}

/** False when it was gone. What cannot be removed counts until it is old. */
async function removed(note: string): Promise<boolean> {
  try {
    await unlink(note);
    return true;
  } catch (error) {
    return errorCode(error) !== 'ENOENT';
  }
}

async function ifThere<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
