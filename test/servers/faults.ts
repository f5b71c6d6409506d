/** What a fault proxy (fault-proxy.ts) may do to one request. Bytes count those of a body, in the order they flow. */
export type Fault =
  /**
   * The connection breaks after so many bytes. Of a response without `after`: nothing of it arrives, though the server
   * has done what was asked.
   */
  | { kind: 'cut'; of: 'request' | 'response'; after?: number; how: 'fin' | 'rst' }
  /** Nothing moves any more after so many bytes, and nobody closes. Without `after` as with `cut`. */
  | { kind: 'stall'; of: 'request' | 'response'; after?: number }
  /** Only so many bytes pass, then a pause of `every` milliseconds. */
  | { kind: 'drip'; of: 'request' | 'response'; bytes: number; every: number }
  /** The byte at that place becomes another one. */
  | { kind: 'damage'; of: 'request' | 'response'; at: number }
  /** The response's Content-Length is so much more than its body has, or less; what is missing never comes. */
  | { kind: 'length'; by: number }
  /** Sets headers, or removes those that are null. */
  | { kind: 'headers'; request?: Changes; response?: Changes }
  /** An idle connection is closed so many milliseconds after the response, without a word before. */
  | { kind: 'close-idle'; after: number }
  /** This in place of the server, which never sees the request, when so many bytes of the request have come. */
  | { kind: 'answer'; answer: Answer; after?: number };

export type Changes = Record<string, string | null>;

export interface Answer {
  status: number;
  headers?: Record<string, string | string[]>;
  body?: string;
  /** True: the connection is closed after it, whatever is still to come of the request. */
  close?: boolean;
}

/** The server wants a password: for no `challenge` that is one by Basic. */
export function unauthorized(after = 0, challenge: string | string[] = 'Basic realm="LFS"', close = false): Fault {
  return { kind: 'answer', after, answer: { status: 401, headers: { 'www-authenticate': challenge }, close } };
}

/** 503, or another status, for now. `retryAfter`: seconds, or a date. */
export function busy(status = 503, retryAfter?: string): Fault {
  return { kind: 'answer', answer: { status, headers: retryAfter === undefined ? {} : { 'retry-after': retryAfter } } };
}

/** What a hotel's network, or a server behind a single sign-on, says to everything. */
export function loginPage(): Fault {
  const body = '<!DOCTYPE html><html><head><title>Log in</title></head><body><form>…</form></body></html>\n';
  return { kind: 'answer', answer: { status: 200, headers: { 'content-type': 'text/html; charset=utf-8' }, body } };
}

/** `to`: a URL, or a path. */
export function redirect(to: string, status = 302): Fault {
  return { kind: 'answer', answer: { status, headers: { location: to } } };
}

/** Any status with a page, as nginx words them. */
export function errorPage(status: number, reason: string, close = false): Fault {
  return {
    kind: 'answer',
    answer: { status, headers: { 'content-type': 'text/html' }, body: page(status, reason), close },
  };
}

export function page(status: number, reason: string): string {
  const title = `${status} ${reason}`;
  const end = '<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n';
  return `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n${end}`;
}
