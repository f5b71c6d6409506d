/** The user that every server here knows. */
export const USER = 'u';
export const PASSWORD = 'p';

/** A real WebDAV server on a loopback port of this machine, for one test file. */
export interface DavServer {
  readonly name: string;
  /** A WebDAV collection whose files lie in `root` on this disk; Basic authentication; without a trailing slash. */
  readonly url: string;
  /** The folder on disk that it serves. */
  readonly root: string;
  /** The id of the session, in the sense of Unix, to which all of its processes belong, and nothing else does. */
  readonly session: number;
  /** Hands what this process made in `root` to the server's user, where that is another one. */
  adopt(path: string): void;
  /** Ends all its processes at once, as a power cut does; its folder stays. */
  kill(): Promise<void>;
  /** Starts it again after that, at the same URL, as another session. */
  restart(): Promise<void>;
  /** Ends the server, all its processes, and removes its folder. */
  stop(): Promise<void>;
}
