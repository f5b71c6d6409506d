import type { Kind } from '../backends/errors.ts';

/**
 * What says that the place, and not only one object there, is in trouble: there is no use in going on. `denied` is not of them:
 * one folder of it may be closed.
 */
export const OF_THE_PLACE: ReadonlySet<Kind> = new Set<Kind>([
  'unreachable',
  'no-store',
  'credentials',
  'configuration',
  'unsupported',
  'untrusted',
]);

/** What may mean one folder or one large object, and is taken for the whole place when it comes so often in a row. */
export const OF_THE_PLACE_IN_A_ROW: ReadonlySet<Kind> = new Set<Kind>(['denied', 'no-space']);
