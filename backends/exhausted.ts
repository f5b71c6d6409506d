import type { DepotError } from './errors.ts';

const exhausted = new WeakSet<DepotError>();

/** Marks a failure behind which a request was repeated as often as it may be. */
export function exhaust(error: DepotError): DepotError {
  exhausted.add(error);
  return error;
}

/** Work of several requests is repeated too, but not for such a failure: repeated repetitions make hours of minutes. */
export function isExhausted(error: DepotError): boolean {
  return exhausted.has(error);
}
