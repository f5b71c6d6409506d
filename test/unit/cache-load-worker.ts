/**
 * One process of cache-load.test.ts: gets objects of a pool in random order, and brings those that the cache does not have,
 * as a pull does; until the time that it is told. Prints what it saw.
 */
import { createHash } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheIn } from '../../agent/cache/cache.ts';
import { randomNumbers } from '../random-numbers.ts';
import type { Source } from './cache-box.ts';
import type { LoadReport } from './cache-load-report.ts';

const [folder = '', bound, poolFile = '', seed, until, scratch = ''] = process.argv.slice(2);
const pool: Source[] = JSON.parse(readFileSync(poolFile, 'utf8'));
const random = randomNumbers(Number(seed));
const report: LoadReport = { hits: 0, misses: 0, wrong: 0 };
const target = join(scratch, `target-${process.pid}`);

// As the agents of one pull after the other, none of which lives long.
for (let cache = cacheIn({ folder, bound: Number(bound) }); Date.now() < Number(until); ) {
  // Some objects are used more often than others.
  const { oid, size, file } = pool[Math.floor(random() ** 2 * pool.length)]!;
  if (await cache.get(oid, size, target)) {
    report.hits++;
    if (createHash('sha256').update(readFileSync(target)).digest('hex') !== oid) report.wrong++;
    rmSync(target);
  } else {
    report.misses++;
    await cache.add(oid, size, file);
  }
  if (random() < 0.02) cache = cacheIn({ folder, bound: Number(bound) });
}
process.stdout.write(JSON.stringify(report));
