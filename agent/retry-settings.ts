import type { Retries } from '../backends/retries.ts';
import type { Config } from './config.ts';
import { givenIn, readInteger } from './given.ts';
import { trace } from './trace.ts';

/**
 * - `depot.retries`: how often a call or request is repeated that failed in a way that may pass, 0 to 100, default 6.
 * - `depot.retryPause`: milliseconds before the first repetition, 0 to 60000, default 500; each later one waits twice as long,
 *   up to 30 seconds.
 * - `depot.retryTimeout`: seconds without a sign of life after which nothing is repeated, 0 to 86400, default 120; with 0 nothing
 *   is repeated at all.
 * @throws DepotError `configuration` for a value that cannot be used.
 */
export function retriesFrom(config: Config): Retries {
  const integer = (key: string, max: number, otherwise: number): number => {
    const given = givenIn(config.get(key));
    return given ? readInteger(given, 0, max) : otherwise;
  };
  return {
    count: integer('depot.retries', 100, 6),
    pause: integer('depot.retrypause', 60_000, 500),
    timeout: integer('depot.retrytimeout', 86_400, 120) * 1000,
    onRetry: trace,
  };
}
