/**
 * The contract of a backend: one kind of storage, reached through a few verbs on *paths* (forward slashes, relative to
 * the location) and *local files*, since both ends of every transfer are local files. A backend knows nothing of git,
 * of LFS or of the transfer protocol. `test/conformance/` spells each rule out as a test.
 *
 * What a caller may rely on:
 *
 * - **Whole or nothing.** After `put` returns, every reader sees the whole file under its name, and it survives a loss
 *   of power. Before that, no reader sees anything there, and never a part of it.
 * - **A put never replaces** what stands under the name, unless `replace` names exactly what was seen there.
 * - **A failed or cancelled call leaves nothing** under the final name, or, where only the last look at the storage failed,
 *   the whole and right file, since another writer may have seen it. What it leaves in the temp folder, if it was killed,
 *   `sweep` removes.
 * - **Two writers of one path,** on two machines, both return; one `created` it, the others learn that it `exists`.
 * - **Absent is a value** (`undefined`). Not reachable, not mounted, not allowed are errors: a backend is opened with an
 *   *anchor*, a path that stands in every intact storage, and says `absent` only where the anchor stands.
 * - **Cancelled is prompt:** within a second of the signal the call rejects with kind `cancelled`, and writes no more.
 * - **Errors** are `DepotError`s, classified. No verb starts over what failed; below it, a protocol may repeat a request that
 *   it says may be repeated (HTTP does: a lost answer must not cost the gigabytes before it).
 *   The layer over a backend (layers/retry.ts) does start over what may pass. When only the answer to a first try was lost, a
 *   `put` or `write` then says that it `exists`, and a `sweep` counts less; a `list` starts over only before its first entry.
 * - `onProgress` is told the bytes moved since the call began: never falling, never above the size, at most once a
 *   buffer, and never after the call returned.
 */
export interface Backend {
  /** The location as the user wrote it, for messages. */
  readonly location: string;
  readonly capabilities: Capabilities;
  /**
   * The folder, relative to the root, for files that are not yet, or no longer, under a final name. Somebody else may
   * use it too (it is git-lfs's own in a repository): what is ours there has a `TEMP_NAME`.
   */
  readonly temp: string;

  /**
   * Makes the root, with what the backend needs in it; its parent must exist. Fine when it is there already.
   * The only verb that makes a root: all others answer `no-store` where none is.
   */
  create(): Promise<void>;

  /** What stands at `path`: undefined when absent. A folder counts as absent. */
  stat(path: string, options?: StatOptions): Promise<Entry | undefined>;

  /**
   * All files below the folder `prefix` ('' for the root), streamed in no order; none when the folder is absent. Without
   * those in `temp`, and without what the system keeps at the top of a disk.
   */
  list(prefix: string, options?: CallOptions): AsyncIterable<Entry>;

  /**
   * Publishes the local file at `path`, making the folders that are missing. The bytes are hashed as they flow, and
   * refused (`corrupt`) unless size and SHA-256 are those given. `exists`: something stands there, which was left alone.
   */
  put(path: string, localFile: string, options: PutOptions): Promise<PutOutcome>;

  /**
   * Copies `path` into a new local file, which is removed on failure. Resolves to its size, undefined when absent.
   * The bytes are refused (`corrupt`) if they are not what `expect` says; hashed as they flow, where it says a hash.
   */
  get(path: string, localFile: string, options?: GetOptions): Promise<number | undefined>;

  /** The SHA-256, in hex, of the bytes as they are read back from the storage; undefined when absent. */
  digest(path: string, options?: CallOptions): Promise<string | undefined>;

  /** The content of a small file (at most 1 MiB, else `corrupt`); undefined when absent. */
  read(path: string, options?: CallOptions): Promise<Buffer | undefined>;

  /** Publishes a small file, as `put` does and without replacing. Works before the anchor stands: it may be the anchor. */
  write(path: string, content: Uint8Array, options?: CallOptions): Promise<PutOutcome>;

  /** Removes a file, and the folder it stood in when that is now empty and lies in `temp`; fine when it is absent. */
  remove(path: string, options?: CallOptions): Promise<void>;

  /**
   * Removes what dead writers left in `temp`: what has a `TEMP_NAME` and was not touched for `olderThan` milliseconds by
   * the *storage's* clock. What was only moved aside, and never replaced, is put back. Resolves to how many.
   */
  sweep(olderThan: number, options?: CallOptions): Promise<number>;

  /** Bytes that this user may still write; undefined where the storage does not tell. */
  space(options?: CallOptions): Promise<number | undefined>;

  /**
   * Finds out, by trying in `temp`, what of this storage cannot be relied on; `{}` when all can. To be kept with the
   * storage, and given to `assume` by everyone who opens it.
   */
  examine(options?: CallOptions): Promise<Findings>;

  /** Takes over what was found out; to be called before any other verb than `create`, `read` and `examine`. */
  assume(findings: Findings): void;
}

/** What was found out about a storage. Plain data: it is written into the marker. */
export interface Findings {
  /**
   * `untrusted`: renaming there fails, or does not do what it says; then files are written under their final names, readers
   * may see a part, and of two writers one may spoil what the other was told is there.
   * `copies`: between two folders the bytes are copied, which readers could see; then temp files lie beside the final name.
   */
  move?: 'untrusted' | 'copies';
}

/** The form of every name that lfs-depot gives in `temp`. */
export const TEMP_NAME = /^depot-[a-z]+-[0-9a-f]{16,}(@|$)/;

export type PutOutcome = 'created' | 'exists';

/** Plain data by which layers, the store and the tests choose what to do. */
export interface Capabilities {
  /** `local`: reading back costs about as much as a disk read; `remote`: it costs a download. */
  readonly reads: 'local' | 'remote';
  /** Whether a `get` that broke off can be taken up where it stopped. */
  readonly resumes: boolean;
}

export interface Entry {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Changes whenever the content does; compare for equality only. */
  readonly version: string;
}

export interface CallOptions {
  signal?: AbortSignal | undefined;
  onProgress?: ((bytes: number) => void) | undefined;
}

export interface StatOptions extends CallOptions {
  /**
   * The caller goes on to `put`, which makes sure itself that the storage is there: `undefined` may then mean, too, that it
   * is not. Saves a look at the anchor.
   */
  beforePut?: boolean;
}

export interface GetOptions extends CallOptions {
  /**
   * Leaves the local file on a failure that may pass, with `<file>.version` beside it, and begins with what such a call
   * has left there. Only where the storage `resumes`.
   */
  resume?: boolean;
  /** Bytes, and lower-case hex, that the file must have. Without a hash, whoever called finds out by himself. */
  expect?: { size: number; sha256?: string | undefined } | undefined;
}

export interface PutOptions extends CallOptions {
  /** Bytes that the local file must have. */
  size: number;
  /** Lower-case hex that the bytes sent must hash to. */
  sha256: string;
  /** The `version` of what may be replaced, as `stat` told it. */
  replace?: string | undefined;
}
