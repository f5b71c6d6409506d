/**
 * The one kind of error that leaves a backend, a store or a command. It answers three questions: what failed, why (in
 * the system's own words), and what to do. A backend *classifies*; whoever called it decides what follows.
 */
export type Kind =
  | 'absent' // the object or file is not in the store, which itself is fine
  | 'cancelled' // the caller's AbortSignal fired
  | 'configuration' // the user's settings or arguments cannot be used
  | 'conflict' // somebody else holds or changes the same thing
  | 'corrupt' // bytes differ from what their name promises
  | 'credentials' // the storage wants to know who we are
  | 'denied' // the storage knows who we are and refuses
  | 'internal' // a mistake in this program
  | 'no-space' // disk or quota is full
  | 'no-store' // the place can be asked and says: no store stands here
  | 'unreachable' // the place cannot be asked
  | 'unsupported' // this program cannot do that here
  | 'untrusted'; // the user has not allowed this location

export interface Failure {
  /** What was tried, with the location or object: "cannot store 4d7a214614 in /srv/lfs". */
  what: string;
  /** The cause, the system's own words wherever there are any. */
  why: string;
  /** The next step for the user, imperative; a command where there is one. */
  cure: string;
  /** True when the same call may succeed later without anybody doing anything. Default false. */
  temporary?: boolean;
  cause?: unknown;
}

export class DepotError extends Error {
  readonly kind: Kind;
  readonly what: string;
  readonly why: string;
  readonly cure: string;
  readonly temporary: boolean;

  constructor(kind: Kind, failure: Failure) {
    const what = printable(failure.what);
    const why = printable(failure.why.trim().replace(/\s*\n\s*/g, '; '));
    super(`${what}: ${why}`, { cause: failure.cause });
    this.name = 'DepotError';
    this.kind = kind;
    this.what = what;
    this.why = why;
    this.cure = failure.cure.split('\n').map(printable).join('\n');
    this.temporary = failure.temporary ?? false;
  }
}

/**
 * Control characters (C0, C1) and those that turn the direction of writing: in text that came with a clone they could
 * forge a line of a message, or show another location than the one that is meant.
 */
export const DECEPTIVE = /[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Text that may be somebody else's, for one line of a message. */
export function printable(text: string): string {
  return text.replace(DECEPTIVE, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

/** The text a person reads: what and why on the first line, the cure on a `hint:` line as git writes it. */
export function describe(error: unknown): string {
  if (!(error instanceof DepotError)) {
    return `lfs-depot failed in a way it should not: ${wordsOf(error)}\nhint: please report this with the text above`;
  }
  return error.cure === '' ? error.message : `${error.message}\nhint: ${error.cure}`;
}

/** Anything can be thrown, also what throws when it is looked at. */
function wordsOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  } catch {
    return 'something that cannot be described';
  }
}

export function isKind(error: unknown, ...kinds: Kind[]): error is DepotError {
  return error instanceof DepotError && kinds.includes(error.kind);
}

/** The error for a call that was cancelled through its AbortSignal. */
export function cancelled(what: string): DepotError {
  return new DepotError('cancelled', {
    what,
    why: 'stopped before it was finished',
    cure: 'run the same command again',
  });
}

/** Throws `cancelled` when the signal has fired: to be called between two steps of long work. */
export function throwIfCancelled(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted) throw cancelled(what);
}
