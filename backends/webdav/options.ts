import type { Retries } from '../retries.ts';

/** What a WebDAV backend is told of the network and of its user: plain data, so that it knows nothing of git. */
export interface WebOptions {
  /** Who asks: empty for nobody known. */
  credentials: Credentials;
  /** Extra headers for every request to the location's own origin, never for another: `Authorization` may be one. */
  headers: readonly (readonly [name: string, value: string])[];
  /** The proxy for this location; undefined for none. */
  proxy: Proxy | undefined;
  tls: Tls;
  timeouts: Timeouts;
  retries: Retries;
}

export interface Proxy {
  /** http: or https:, with a user name and a password in it where it wants them. */
  url: string;
  /** Hosts that are reached without it, as in NO_PROXY. */
  except: string | undefined;
}

export interface Tls {
  /** False: any certificate is taken. */
  verify: boolean;
  /** The only authorities to trust, PEM; undefined: Node's own, then also the system's. */
  ca: string[] | undefined;
  /** The client's certificate and key, PEM. */
  cert: string | undefined;
  key: string | undefined;
  passphrase: string | undefined;
}

/** Milliseconds. None bounds a whole transfer: one that is slow and alive goes on. */
export interface Timeouts {
  /** From the first packet to a connection, TLS included. */
  connect: number;
  /** Without a byte in either direction, while bytes are on their way. */
  idle: number;
  /** From the last byte of a request to the first of its answer: a server may copy gigabytes in between. */
  answer: number;
}

export type Credential =
  | { kind: 'password'; username: string; password: string }
  | { kind: 'token'; scheme: string; token: string }; // `Authorization: <scheme> <token>`

/** Where user names and passwords come from, and who is told whether they were right. */
export interface Credentials {
  /**
   * Called when the server asks, at most once for a backend; `challenges` are its `WWW-Authenticate` headers. Undefined:
   * none is known. Never prompts.
   */
  find(challenges: readonly string[]): Promise<Credential | undefined>;
  /** The server took it: called once. */
  accepted(credential: Credential): Promise<void>;
  /** The server refused it: called once, and it is not tried again. */
  refused(credential: Credential): Promise<void>;
}
