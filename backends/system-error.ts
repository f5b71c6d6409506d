import { constants } from 'node:os';
import { DepotError, type Kind } from './errors.ts';

/**
 * Turns an error of Node's `fs` into a DepotError: what kind it is, whether waiting may help, and what to do.
 * Errors that are DepotErrors already pass through. `ENOENT` is not handled here: whether a missing path means
 * "absent" or "not mounted" depends on the call, see folder.ts.
 */
export function fromSystemError(error: unknown, what: string, access: 'read' | 'write' = 'write'): DepotError {
  if (error instanceof DepotError) return error;
  const code = errorCode(error);
  let meaning = (code && MEANINGS[code]) || UNKNOWN;
  if (meaning === DENIED && access === 'read') meaning = UNREADABLE;
  return new DepotError(meaning.kind, {
    what,
    why: systemWords(error),
    cure: meaning.cure,
    temporary: meaning.temporary ?? false,
    cause: error,
  });
}

/**
 * The `code` of a Node error (`ENOSPC`), or undefined. For errno values that libuv has no name for, a full quota and a stale
 * handle among them, Node says `Unknown system error -122`: those are given their names here.
 */
export function errorCode(error: unknown): string | undefined {
  const { code, errno } = (error ?? {}) as { code?: unknown; errno?: unknown };
  if (typeof code !== 'string') return undefined;
  return code.startsWith('Unknown system error') ? (nameOf(Number(errno)) ?? code) : code;
}

function nameOf(errno: number): string | undefined {
  const [name] = Object.entries(constants.errno).find(([, value]) => value === -errno) ?? [];
  return name ?? (process.platform === 'linux' ? LINUX_NAMES[-errno] : undefined);
}

/** Of Linux's errno.h, what shares were seen to say and Node does not know by any name. */
const LINUX_NAMES: Record<number, string> = {
  78: 'EREMCHG',
  126: 'ENOKEY',
  127: 'EKEYEXPIRED',
  128: 'EKEYREVOKED',
  129: 'EKEYREJECTED',
};

const WORDS: Record<string, string> = {
  EDQUOT: 'disk quota exceeded',
  ESTALE: 'stale file handle',
  EREMCHG: 'the share is gone from its server',
};

/** "no space left on device (ENOSPC)" out of "ENOSPC: no space left on device, write". */
export function systemWords(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = errorCode(error);
  if (code && error.message.startsWith('Unknown system error')) return `${WORDS[code] ?? 'system error'} (${code})`;
  const match = /^([A-Z0-9_]+): ([^,]+)/.exec(error.message);
  if (match && match[1] === code) return `${match[2]} (${code})`;
  return code && !error.message.includes(code) ? `${error.message} (${code})` : error.message;
}

interface Meaning {
  kind: Kind;
  cure: string;
  temporary?: true;
}

const UNKNOWN: Meaning = { kind: 'internal', cure: 'run `lfs-depot doctor`, which tries the store step by step' };

const FULL: Meaning = {
  kind: 'no-space',
  cure: 'free some space there and push again; whatever was stored before is kept',
};
const DENIED: Meaning = {
  kind: 'denied',
  cure: 'ask whoever owns the storage for write access to it, then try again',
};
const UNREADABLE: Meaning = { ...DENIED, cure: 'ask whoever owns the storage to let you read it, then try again' };
/** The share's password was changed, or its ticket ran out (the CIFS client of Linux). */
const LOGIN: Meaning = { kind: 'denied', cure: 'the share wants a new login: mount it again, then try again' };
const AWAY: Meaning = {
  kind: 'unreachable',
  cure: 'check that the disk or share is connected, then try again',
  temporary: true,
};
const BUSY: Meaning = {
  kind: 'conflict',
  cure: 'another program holds the file open; try again in a moment',
  temporary: true,
};

/** A share that went away in the middle, and other troubles for which libuv has no name on Windows. */
const UNNAMED: Meaning = {
  ...AWAY,
  cure: 'open that folder in the Explorer: Windows says there what is wrong (a login, a server that is away); then try again',
};

/** errno(3) names, grouped by what they mean for somebody whose storage is a disk or a mounted share. */
const MEANINGS: Record<string, Meaning> = {
  ENOSPC: FULL,
  EDQUOT: { ...FULL, cure: 'your quota there is used up: free some space or have it raised, then push again' },
  EFBIG: {
    ...FULL,
    cure: 'a file of this size is not allowed there (FAT32 stops at 4 GiB; `ulimit -f` may too): use another place',
  },
  EACCES: DENIED,
  EPERM: DENIED,
  EROFS: { ...DENIED, cure: 'the storage is mounted read-only: mount it for writing, then try again' },
  EIO: { ...AWAY, cure: 'the disk or share reports a hardware or network fault: check it, then try again' },
  ESTALE: AWAY,
  // Linux's CIFS client says so of a file that was open when the server came back, and of a share that does not.
  EAGAIN: AWAY,
  ENOTCONN: AWAY,
  ECONNRESET: AWAY,
  ECONNABORTED: AWAY,
  ECONNREFUSED: AWAY,
  EHOSTDOWN: AWAY,
  EHOSTUNREACH: AWAY,
  ENETDOWN: AWAY,
  ENETUNREACH: AWAY,
  ETIMEDOUT: AWAY,
  ENODEV: AWAY,
  ENXIO: AWAY,
  EREMOTEIO: AWAY,
  ENOLINK: AWAY,
  ENONET: AWAY,
  EPIPE: AWAY,
  ESHUTDOWN: AWAY,
  EOF: AWAY,
  ECANCELED: AWAY,
  EREMCHG: AWAY,
  EKEYREJECTED: LOGIN,
  EKEYEXPIRED: LOGIN,
  EKEYREVOKED: LOGIN,
  ENOKEY: LOGIN,
  UNKNOWN: UNNAMED,
  EBUSY: BUSY,
  ETXTBSY: BUSY,
  EMFILE: { ...BUSY, cure: 'too many files are open on this machine; try again in a moment' },
  ENFILE: { ...BUSY, cure: 'too many files are open on this machine; try again in a moment' },
  ENAMETOOLONG: { kind: 'configuration', cure: 'the path is too long for that filesystem: use a shorter location' },
  ENOTDIR: { kind: 'no-store', cure: 'a file stands where a folder is needed: choose another location' },
  EXDEV: { kind: 'configuration', cure: 'parts of the store lie on different filesystems: move them onto one' },
  ELOOP: { kind: 'configuration', cure: 'a symbolic link there points to itself: mend it' },
};
