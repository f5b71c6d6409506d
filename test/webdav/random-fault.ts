import type { SeenRequest } from '../servers/fault-proxy.ts';
import { busy, errorPage, type Fault, loginPage, redirect, unauthorized } from '../servers/faults.ts';

/** Gives anything that may happen to a request. Of uploads no byte is damaged: only TLS protects from that. */
export function randomFault(random: () => number): (request: SeenRequest) => Fault {
  const upTo = (limit: number): number => Math.floor(random() * limit);
  const oneOf = <T>(values: readonly T[]): T => values[upTo(values.length)]!;
  /** As many small numbers as large ones. */
  const place = (size: number): number => Math.floor((size + 1) ** random() - 1);
  const how = (): 'fin' | 'rst' => oneOf(['fin', 'rst']);

  return ({ method, headers }) => {
    const size = Number(headers['content-length'] ?? 0);
    const kinds: (() => Fault)[] = [
      () => ({ kind: 'cut', of: 'request', after: place(size), how: how() }),
      () => ({ kind: 'cut', of: 'response', how: how() }),
      () => ({ kind: 'cut', of: 'response', after: place(LARGEST), how: how() }),
      () => ({ kind: 'stall', of: oneOf(['request', 'response']), after: place(method === 'GET' ? LARGEST : size) }),
      () => ({ kind: 'stall', of: 'response' }),
      () => ({ kind: 'drip', of: oneOf(['request', 'response']), bytes: 100_000, every: 20 }),
      () => ({ kind: 'length', by: oneOf([-1000, -1, 1, 1000]) }),
      () => ({ kind: 'close-idle', after: upTo(20) }),
      () => ({ kind: 'close-idle', after: 0 }),
      () => busy(503, oneOf(['0', '1', new Date().toUTCString(), 'soon'])),
      () => busy(429),
      () => unauthorized(place(size), oneOf(['Basic realm="LFS"', 'Negotiate', []]), oneOf([true, false])),
      () => errorPage(oneOf(STATUSES), 'Trouble', oneOf([true, false])),
      () => loginPage(),
      () =>
        redirect(
          oneOf(['/elsewhere', 'http://127.0.0.1:9/', '/lfs/', 'ftp://127.0.0.1/', 'nonsense://']),
          oneOf([301, 302, 307]),
        ),
    ];
    // Of objects the bytes are known beforehand; of lists and headers nothing could tell.
    if (method === 'GET') kinds.push(() => ({ kind: 'damage', of: 'response', at: place(LARGEST) }));
    return oneOf(kinds)();
  };
}

/** Bytes of the largest object in use. */
export const LARGEST = 3_000_000;

const STATUSES = [
  400, 402, 403, 404, 405, 408, 409, 410, 411, 412, 413, 414, 415, 416, 418, 421, 422, 423, 424, 425, 429, 431, 451,
  500, 501, 502, 503, 504, 507, 508, 511, 520, 599,
];
