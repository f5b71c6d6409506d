import type {
  ClientRequest,
  IncomingHttpHeaders,
  IncomingMessage,
  OutgoingHttpHeaders,
  RequestOptions,
} from 'node:http';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Timeouts } from './options.ts';
import { type Watch, watchOver } from './watch.ts';

/** One request, as it goes over the wire once: no retries, no redirects, no login. */
export interface Asking {
  method: string;
  url: URL;
  headers: OutgoingHttpHeaders;
  body?: Body | undefined;
  agent: NonNullable<RequestOptions['agent']>;
  timeouts: Timeouts;
  signal?: AbortSignal | undefined;
  /** Ask whether the body is wanted before it is sent (`Expect: 100-continue`, RFC 9110 §10.1.1). */
  hesitate?: boolean;
}

export interface Body {
  /** Bytes; sent as Content-Length, since servers were seen to store nothing of a chunked body. */
  size: number;
  /** The bytes from the start, at each call anew. A chunk may be overwritten once two more were asked for. */
  chunks(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  /** Told the bytes that left this computer. */
  onSent?: ((bytes: number) => void) | undefined;
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  /** To be read to its end, or given to `discard`: else the connection is lost for the next request. */
  stream: IncomingMessage;
  /** The request was repeated as often as it may be. */
  exhausted?: boolean;
}

/** A failure of the connection; `code` as in Node's errors, or one of these. */
export class BrokenExchange extends Error {
  readonly code: string;
  /** The connection had been used before: the server may have closed it, in its right, as the request was sent. */
  readonly reused: boolean;

  constructor(message: string, code: string, reused: boolean, cause?: unknown) {
    super(message, { cause });
    this.name = 'BrokenExchange';
    this.code = code;
    this.reused = reused;
  }
}

/** Sends the request and resolves with the head of the answer, even where that comes before the body was sent. */
export async function exchange(asking: Asking): Promise<Answer> {
  const { method, url, body, agent, timeouts, signal } = asking;
  signal?.throwIfAborted();
  const headers: OutgoingHttpHeaders = { ...asking.headers };
  if (body) headers['Content-Length'] = body.size;
  const hesitate = asking.hesitate === true && body !== undefined && body.size > 0;
  if (hesitate) headers.Expect = '100-continue';
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const request = send(url, { method, headers, agent });

  const watch = watchOver(request, timeouts);
  const end = (): void => void request.destroy(new Error('cancelled'));
  const cancel = (): void => {
    // A body that is all sent is being stored: whoever cleans up behind it has to wait until it is there.
    if (request.writableEnded && body !== undefined && method === 'PUT') setTimeout(end, SETTLING).unref();
    else end();
  };
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    const answered = answerOf(request);
    // Handled where it is awaited; until then it is nobody's unhandled rejection.
    answered.catch(() => {});
    if (body && body.size > 0) {
      if (hesitate) await Promise.race([permission(request), sleep(PATIENCE, undefined, { ref: false }), answered]);
      await sendBody(request, body, answered, watch);
    } else {
      request.end();
      watch.waiting();
    }
    const stream = await answered;
    if (signal?.aborted) throw signal.reason;
    watch.receiving(stream);
    // An answer that came before the whole body was sent: what follows on this connection would be taken for the rest.
    if (!request.writableEnded) stream.once('end', () => request.destroy());
    // What is left of the signal's job: a body may still be on its way.
    stream.once('close', () => signal?.removeEventListener('abort', cancel));
    return { status: stream.statusCode ?? 0, headers: stream.headers, stream };
  } catch (error) {
    watch.stop();
    request.destroy();
    signal?.removeEventListener('abort', cancel);
    signal?.throwIfAborted();
    throw isOfNode(error) ? new BrokenExchange(error.message, error.code, request.reusedSocket, error) : error;
  }
}

/** Milliseconds that a server has to finish a request that was sent and then cancelled, of the second until all is over. */
const SETTLING = 500;

/** Milliseconds to wait for "100 Continue" from a server that may not know it (RFC 9110: the client decides). */
const PATIENCE = 2000;

function permission(request: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    request.flushHeaders();
    request.once('continue', resolve);
  });
}

function answerOf(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve);
    request.on('error', reject);
    request.once('close', () => reject(Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' })));
  });
}

const SMALLEST = 16 * 1024;
const LARGEST = 1024 * 1024;

/**
 * Writes the body, in pieces that take the connection about a tenth of a second each: on a slow one, a megabyte at once
 * would look like a connection that stands still. Stops where the answer comes first.
 */
async function sendBody(request: ClientRequest, body: Body, answered: Promise<unknown>, watch: Watch): Promise<void> {
  let over = false;
  const stop = (): void => {
    over = true;
  };
  const early = answered.then(stop, stop);
  let piece = 4 * SMALLEST;
  let sent = 0;
  let flushed: Promise<void> = Promise.resolve();
  watch.moving();
  for await (const chunk of body.chunks()) {
    for (let start = 0; start < chunk.length && !over; ) {
      const part = chunk.subarray(start, start + piece);
      start += part.length;
      await Promise.race([flushed, early]);
      const began = performance.now();
      flushed = new Promise((resolve) => {
        request.write(part, () => {
          const took = performance.now() - began;
          if (took < 50) piece = Math.min(2 * piece, LARGEST);
          else if (took > 200) piece = Math.max(piece / 2, SMALLEST);
          watch.moving();
          sent += part.length;
          // The answer to the last piece may be here before its own callback.
          if (!over || sent === body.size) body.onSent?.(sent);
          resolve();
        });
      });
    }
    if (over) return;
  }
  request.end();
  await Promise.race([flushed, early]);
  watch.waiting();
}

function isOfNode(error: unknown): error is Error & { code: string } {
  return error instanceof Error && typeof (error as { code?: unknown }).code === 'string';
}

/** Bytes of an answer's body that are read to keep its connection. */
const WORTH_READING = 64 * 1024;

/** Lets a body go: read to its end when it is short, cut off when it is not. */
export async function discard({ stream }: Answer): Promise<void> {
  await textOf({ stream }, WORTH_READING);
}

/** The body as text, as far as `limit` bytes; never fails, since it is only read for what it may explain. */
export async function textOf({ stream }: Pick<Answer, 'stream'>, limit: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of stream) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > limit) break;
    }
  } catch {
    // What came before the break is enough.
  }
  return Buffer.concat(chunks).toString('utf8', 0, Math.min(size, limit));
}
