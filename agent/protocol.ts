import { DepotError, describe, type Kind } from '../backends/errors.ts';
import { type Oid, parseOid } from './oid.ts';

/**
 * The messages of Git LFS's custom transfer protocol, one JSON object a line:
 * https://github.com/git-lfs/git-lfs/blob/main/docs/custom-transfers.md
 */
export type Operation = 'upload' | 'download';

export type Request =
  | { event: 'init'; operation: Operation; remote: string }
  | { event: 'upload'; oid: Oid; size: number; path: string }
  | { event: 'download'; oid: Oid; size: number }
  | { event: 'terminate' }
  /** Anything else. `oid` is what stood in that place, '' for none, so that the answer can be matched. */
  | { event: 'invalid'; oid: string; why: string };

export type TransferRequest = Extract<Request, { event: Operation }>;

export interface Problem {
  code: number;
  message: string;
}

export type Reply =
  | { error?: Problem } // to init
  | { event: 'progress'; oid: string; bytesSoFar: number; bytesSinceLast: number }
  | { event: 'complete'; oid: string; path?: string; error?: Problem };

/** Reads one line. Never throws. */
export function parseRequest(line: string): Request {
  let message: unknown;
  try {
    message = JSON.parse(line);
  } catch {
    return { event: 'invalid', oid: '', why: 'the line is not JSON' };
  }
  if (typeof message !== 'object' || message === null || Array.isArray(message)) {
    return { event: 'invalid', oid: '', why: 'the line is not a JSON object' };
  }
  const { event, operation, remote, oid, size, path } = message as Record<string, unknown>;
  const invalid = (why: string): Request => ({ event: 'invalid', oid: typeof oid === 'string' ? oid : '', why });
  switch (event) {
    case 'init':
      if (operation !== 'upload' && operation !== 'download') return invalid('"operation" is not upload or download');
      return { event, operation, remote: typeof remote === 'string' ? remote : '' };
    case 'terminate':
      return { event };
    case 'upload':
    case 'download': {
      const parsed = parseOid(oid);
      if (!parsed) return invalid('"oid" is not 64 lower-case hex digits');
      if (!Number.isSafeInteger(size) || (size as number) < 0) return invalid('"size" is not a whole number of bytes');
      if (event === 'download') return { event, oid: parsed, size: size as number };
      if (typeof path !== 'string' || path === '' || path.includes('\0')) return invalid('"path" is not a file name');
      return { event, oid: parsed, size: size as number, path };
    }
    default:
      return invalid(`"event" is ${JSON.stringify(event)?.slice(0, 60) ?? 'missing'}, which lfs-depot does not know`);
  }
}

/** A line for each reply, with its newline. */
export function printReplies(replies: readonly Reply[]): string {
  return replies.map((reply) => `${JSON.stringify(reply)}\n`).join('');
}

/** What git-lfs shows for an error, as `[code] message`. */
export function problemOf(error: unknown): Problem {
  return { code: error instanceof DepotError ? CODES[error.kind] : CODES.internal, message: describe(error) };
}

/** Documented in the README: users and scripts see them. */
const CODES: Record<Kind, number> = {
  internal: 1,
  unsupported: 2,
  configuration: 2,
  untrusted: 2,
  'no-store': 3,
  unreachable: 3,
  absent: 4,
  corrupt: 5,
  credentials: 6,
  denied: 6,
  'no-space': 7,
  conflict: 8,
  cancelled: 9,
};
