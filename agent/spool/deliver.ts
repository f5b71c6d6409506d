import { DepotError, isKind, throwIfCancelled } from '../../backends/errors.ts';
import { OF_THE_PLACE, OF_THE_PLACE_IN_A_ROW } from '../of-the-place.ts';
import type { Oid } from '../oid.ts';
import type { Objects } from '../store.ts';
import { trace } from '../trace.ts';
import type { Spool, Waiting } from './spool.ts';

export interface Delivery {
  delivered: number;
  /** Of those that were delivered. */
  bytes: number;
  /** How many were there already, and right. */
  present: number;
  failed: { oid: Oid; error: DepotError }[];
  /** How many were not tried any more: the place itself is in trouble, as the last of `failed` says. */
  untried: number;
}

export interface DeliveryOptions {
  signal?: AbortSignal | undefined;
  /** How many at a time; default 4. */
  parallel?: number;
  /** Called after each object that the place now has, the present ones included. */
  onDelivered?: (oid: Oid, size: number) => void;
}

/** So many in a row. */
const ROW = 4;

/**
 * Brings what waits in the spool to where it belongs, each object verified, and takes it out of the spool. Whatever stands
 * there already is read back, since the copy here may be the only good one. May be done by several processes at once, be
 * killed at any moment and done again: the order is random, so that they overlap little.
 * @throws DepotError `cancelled`; what fails with single objects is in the result.
 */
export async function deliver(
  spool: Spool,
  store: Pick<Objects, 'put'>,
  options: DeliveryOptions = {},
): Promise<Delivery> {
  const what = `cannot deliver what waits for ${spool.location}`;
  const waiting: Waiting[] = [];
  for await (const object of spool.list()) waiting.push(object);
  shuffle(waiting);
  const result: Delivery = { delivered: 0, bytes: 0, present: 0, failed: [], untried: 0 };
  const hopeless = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, hopeless.signal]) : hopeless.signal;
  let row = 0;

  async function deliverOne({ oid, size }: Waiting): Promise<void> {
    try {
      if (!(await spool.has(oid))) return;
      const kept = await store.put(oid, size, spool.fileOf(oid), { suspect: true, signal });
      await spool.drop(oid);
      row = 0;
      if (kept === 'present') {
        result.present++;
      } else {
        result.delivered++;
        result.bytes += size;
      }
      options.onDelivered?.(oid, size);
    } catch (error) {
      if (signal.aborted && isKind(error, 'cancelled')) {
        result.untried++;
        return;
      }
      // Another process was faster.
      if (!(await spool.has(oid))) return;
      const failure = told(error, oid, spool);
      trace(failure.message);
      result.failed.push({ oid, error: failure });
      row = OF_THE_PLACE_IN_A_ROW.has(failure.kind) ? row + 1 : 0;
      if (OF_THE_PLACE.has(failure.kind) || row >= ROW) hopeless.abort();
    }
  }

  async function work(): Promise<void> {
    while (!signal.aborted) {
      const next = waiting.pop();
      if (!next) return;
      await deliverOne(next);
    }
  }

  await Promise.all(Array.from({ length: options.parallel ?? 4 }, work));
  throwIfCancelled(options.signal, what);
  result.untried += waiting.length;
  await spool.tidy().catch((error) => trace(`${spool.folder} was not tidied: ${error}`));
  return result;
}

function shuffle(list: unknown[]): void {
  for (let index = list.length - 1; index > 0; index--) {
    const other = Math.floor(Math.random() * (index + 1));
    [list[index], list[other]] = [list[other], list[index]];
  }
}

function told(error: unknown, oid: Oid, spool: Spool): DepotError {
  if (isKind(error, 'corrupt')) {
    return new DepotError('corrupt', {
      what: `cannot deliver ${oid} to ${spool.location}`,
      why: error.why,
      cure:
        `whoever has a good copy, this clone perhaps, runs: git lfs push --object-id origin ${oid}\n` +
        `the copy that waits here, ${spool.fileOf(oid)}, is kept as it is`,
      cause: error,
    });
  }
  if (error instanceof DepotError) return error;
  const why = error instanceof Error ? error.message : String(error);
  return new DepotError('internal', {
    what: `cannot deliver ${oid} to ${spool.location}`,
    why,
    cure: '',
    cause: error,
  });
}
