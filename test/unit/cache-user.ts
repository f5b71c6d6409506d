/**
 * Somebody who uses a cache, as a process of its own: becomes the user that stdin names, makes the calls it lists one after
 * the other, and prints what came of each.
 */
import { readFileSync } from 'node:fs';
import { cacheIn } from '../../agent/cache/cache.ts';
import type { CacheUser } from './cache-box.ts';

const { who, folder, bound, calls }: CacheUser = JSON.parse(readFileSync(0, 'utf8'));
if (who) {
  process.umask(who.umask);
  process.setgroups?.(who.groups);
  process.setgid?.(who.groups[0] ?? who.uid);
  process.setuid?.(who.uid);
}
const cache = cacheIn({ folder, bound });
const outcomes = [];
for (const { verb, oid, size, file } of calls) outcomes.push((await cache[verb](oid, size, file)) ?? null);
process.stdout.write(JSON.stringify(outcomes));
