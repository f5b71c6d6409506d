import { lstatSync, readdirSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { throwIfCancelled } from '../../backends/errors.ts';
import { callsFor } from '../../backends/folder/calls.ts';
import { errorCode } from '../../backends/system-error.ts';
import { oidAt } from '../layout.ts';

export interface Rest {
  /** Blocks of the objects that are left. */
  blocks: number;
  removed: number;
}

/** Bytes: what an object takes is counted in whole ones, as a disk does. */
export const BLOCK = 4096;

export function blocksOf(size: number): number {
  return Math.max(1, Math.ceil(size / BLOCK));
}

/**
 * Removes the objects that were not used for longest, until the rest has at most `goal` blocks. What cannot be removed (on
 * Windows, what somebody reads just now) stays, and others go in its stead only the next time.
 *
 * Walks twice, so that no more than two numbers of each object are held in memory: once to find out how old is too old, once
 * to remove. What is used in between has a new time, and stays.
 */
export async function evictOldest(root: string, goal: number, signal: AbortSignal | undefined): Promise<Rest> {
  const times: number[] = [];
  const blocks: number[] = [];
  let total = 0;
  for await (const object of objectsIn(root, signal)) {
    times.push(object.time);
    blocks.push(object.blocks);
    total += object.blocks;
  }
  let excess = total - goal;
  if (excess <= 0) return { blocks: total, removed: 0 };
  const limit = newestToGo(times, blocks, excess);
  const { unlink } = await callsFor(root, process.platform);
  const rest: Rest = { blocks: 0, removed: 0 };
  for await (const object of objectsIn(root, signal)) {
    // Many may have one time, after a copy of the whole cache: not all of them go.
    if (object.time <= limit && excess > 0) {
      excess -= object.blocks;
      if (await isRemoved(unlink, object.file)) {
        rest.removed++;
        continue;
      }
    }
    rest.blocks += object.blocks;
  }
  return rest;
}

/** The time of the last object to go, when the oldest with `excess` blocks together do. */
function newestToGo(times: number[], blocks: number[], excess: number): number {
  const order = Uint32Array.from(times.keys()).sort((one, other) => times[one]! - times[other]!);
  let freed = 0;
  for (const index of order) {
    freed += blocks[index]!;
    if (freed >= excess) return times[index]!;
  }
  return Number.POSITIVE_INFINITY;
}

async function isRemoved(unlink: (path: string) => void | Promise<void>, file: string): Promise<boolean> {
  try {
    await unlink(file);
    return true;
  } catch (error) {
    return errorCode(error) === 'ENOENT';
  }
}

interface CachedObject {
  file: string;
  blocks: number;
  /** When it was used last, in milliseconds. */
  time: number;
}

/** Folder by folder. Whatever else somebody keeps there is left alone. */
async function* objectsIn(root: string, signal: AbortSignal | undefined): AsyncGenerator<CachedObject> {
  const calls = await callsFor(root, process.platform);
  for (const first of await foldersIn(root)) {
    for (const second of await foldersIn(join(root, first))) {
      throwIfCancelled(signal, `cannot make room in the cache ${root}`);
      const folder = join(root, first, second);
      // Directly where the disk is local: there are 65536 of these folders. The others let timers and a cancel in between.
      for (const name of calls.direct ? namesNow(folder) : await namesIn(folder)) {
        if (oidAt(`${first}/${second}/${name}`) === undefined) continue;
        const file = join(folder, name);
        const stats = await calls.stat(file);
        if (stats?.isFile()) yield { file, blocks: blocksOf(Number(stats.size)), time: Number(stats.mtimeMs) };
      }
    }
  }
}

/** Real ones: a link may lead to somebody's own objects, which are not the cache's to remove. */
async function foldersIn(folder: string): Promise<string[]> {
  const names = (await namesIn(folder)).filter((name) => /^[0-9a-f]{2}$/.test(name));
  return names.filter((name) => lstatSync(join(folder, name), { throwIfNoEntry: false })?.isDirectory());
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    return noneIfGone(error);
  }
}

function namesNow(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    return noneIfGone(error);
  }
}

function noneIfGone(error: unknown): never[] {
  const code = errorCode(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') return [];
  throw error;
}
