import type { Config } from './config.ts';
import { givenIn, readBoolean } from './given.ts';

/**
 * `depot.fsync`, default true: whether a pushed object must survive a loss of power of the machine that has the disk before the
 * push says that it is done. It is most of the price of small objects on a disk (docs/benchmarks.md).
 * @throws DepotError `configuration` for what is no boolean.
 */
export function durabilityFrom(config: Config): boolean {
  const given = givenIn(config.get('depot.fsync'));
  return given ? readBoolean(given) : true;
}
