import { isAbsolute } from 'node:path';
import type { Config } from '../config.ts';
import { type Given, givenIn, readPath, refuse } from '../given.ts';

export interface CacheSettings {
  /** Absolute. */
  folder: string;
  /** Bytes that the objects in it may have together. */
  bound: number;
}

/** Bytes: 20 GiB. */
const DEFAULT_BOUND = 20 * 1024 ** 3;
/** Bytes. Who writes `20` means gigabytes, and would wonder why nothing is ever kept. */
const SMALLEST_BOUND = 1024 ** 2;

/**
 * - `depot.cache`: an absolute folder; `~/` is one's home. Not set, or empty: there is no cache.
 * - `depot.cacheSize`: bytes, with git's suffixes k, m and g; at least 1m, default 20g.
 * @throws DepotError `configuration` for a value that cannot be used.
 */
export async function cacheSettings(config: Config): Promise<CacheSettings | undefined> {
  const given = givenIn(config.get('depot.cache'));
  if (!given || given.value === '') return undefined;
  if (!isAbsolute(given.value) && !/^(~|%\(prefix\)\/)/.test(given.value)) {
    // What it is relative to would differ from clone to clone, and one cache is for all of them.
    throw refuse(given, `'${given.value}' is not absolute`, 'write an absolute path, or one that begins with ~/');
  }
  const size = givenIn(config.get('depot.cachesize'));
  return { folder: await readPath(given, process.env), bound: size ? readSize(size) : DEFAULT_BOUND };
}

const UNITS: Record<string, number> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** As `git config --type=int` reads it. */
function readSize(given: Given): number {
  const [, digits = '', unit = ''] = /^\s*\+?(\d+)([kmg]?)$/i.exec(given.value) ?? [];
  const bytes = Number(digits) * (UNITS[unit.toLowerCase()] ?? Number.NaN);
  if (digits !== '' && bytes >= SMALLEST_BOUND && bytes <= Number.MAX_SAFE_INTEGER) return bytes;
  throw refuse(given, `'${given.value}' is not a size of at least 1m`, `set ${given.name} to a size like 500m or 20g`);
}
