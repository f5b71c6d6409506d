import {
  type ClientRequest,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { Writable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';

/** These speak of one connection only. */
const OF_A_CONNECTION = ['connection', 'keep-alive', 'proxy-connection', 'upgrade'];

/** Opens a request like this one at another origin, on a connection of its own; the body is still to be sent. */
export function openUpstream(
  request: IncomingMessage,
  origin: string,
  change: (headers: IncomingHttpHeaders) => IncomingHttpHeaders = (headers) => headers,
): ClientRequest {
  const headers = change(withoutConnection(request.headers));
  const upstream = httpRequest(`${origin}${request.url}`, { method: request.method, headers, agent: false });
  upstream.on('error', () => {}); // It shows as a close without a response.
  upstream.flushHeaders();
  return upstream;
}

/** The response, undefined when the connection broke before it came. */
export function responseOf(upstream: ClientRequest): Promise<IncomingMessage | undefined> {
  return new Promise((done) => {
    upstream.on('response', done);
    upstream.on('close', () => done(undefined));
  });
}

/** Sends the status and the headers of `answer`. */
export function relayHead(
  answer: IncomingMessage,
  response: ServerResponse,
  change: (headers: IncomingHttpHeaders) => IncomingHttpHeaders = (headers) => headers,
): void {
  response.sendDate = false;
  response.writeHead(answer.statusCode ?? 0, answer.statusMessage, change(withoutConnection(answer.headers)));
}

export interface Flow {
  /** Bytes after which to stop. */
  limit?: number | undefined;
  /** Bytes to pass before each pause, of `every` milliseconds. */
  slice?: number | undefined;
  every?: number | undefined;
  /** The place of a byte to change. */
  damage?: number | undefined;
}

/**
 * Moves a body; `sink` is not ended. False when it stopped at the limit, with the rest still to be read.
 * @throws what either end failed with.
 */
export async function flow(source: IncomingMessage, sink: Writable, how: Flow = {}): Promise<boolean> {
  const { limit = Number.POSITIVE_INFINITY, slice = Number.POSITIVE_INFINITY, every = 0, damage = -1 } = how;
  let moved = 0;
  if (limit === 0) return false;
  for await (const chunk of source.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    for (let at = 0; at < chunk.length; ) {
      const piece = Buffer.from(chunk.subarray(at, at + Math.min(slice, limit - moved)));
      if (damage >= moved && damage < moved + piece.length) piece[damage - moved]! ^= 0xff;
      await write(sink, piece);
      at += piece.length;
      moved += piece.length;
      if (moved >= limit) return false;
      if (every > 0) await pause(every);
    }
  }
  return true;
}

function write(sink: Writable, piece: Buffer): Promise<void> {
  return new Promise((done, fail) => {
    sink.write(piece, (error) => (error ? fail(error) : done()));
  });
}

function withoutConnection(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !OF_A_CONNECTION.includes(name)));
}
