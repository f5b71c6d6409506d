// A fake network: it stands before a real server, for the faults that no real server or network gives on demand.
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Answer, Changes, Fault } from './faults.ts';
import { type Flow, flow, openUpstream, relayHead, responseOf } from './forward.ts';

/** A request as it came, noted before anything is done with it. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Counted from 1: the connection, and which of its requests this is. */
  readonly connection: number;
  readonly nth: number;
  /** What was answered; undefined as long as nothing was. */
  status: number | undefined;
}

/** What is to happen to a request; undefined: nothing. */
export type Plan = (request: SeenRequest) => Fault | undefined;

export interface FaultProxy {
  /** The target's URL, with the proxy's host and port. */
  readonly url: string;
  /** All that came, in order. */
  readonly requests: SeenRequest[];
  /** How many connections were opened to it. */
  connections(): number;
  /** Ends it, and all connections. The target stays. */
  stop(): Promise<void>;
}

/** The bytes that were written a moment ago need that long to arrive; a reset would overtake them. */
const ARRIVAL = 30;

/** Starts one between a client and the http: URL `target`. `plan` is asked for each request. */
export async function startFaultProxy(target: string, plan: Plan = () => undefined): Promise<FaultProxy> {
  const { origin, pathname } = new URL(target);
  const requests: SeenRequest[] = [];
  const sockets = new Set<Socket>();
  const counts = new WeakMap<Socket, { connection: number; requests: number }>();
  let connections = 0;

  const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 });
  server.on('connection', (socket: Socket) => {
    connections++;
    counts.set(socket, { connection: connections, requests: 0 });
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
  });
  const take = (request: IncomingMessage, response: ServerResponse): void => {
    const count = counts.get(request.socket) ?? { connection: 0, requests: 0 };
    const { method = '', url = '', headers } = request;
    const nth = ++count.requests;
    const seen: SeenRequest = { method, path: url, headers, connection: count.connection, nth, status: undefined };
    requests.push(seen);
    const fault = plan(seen);
    const done = fault?.kind === 'answer' ? answerItself : forward;
    done(request, response, seen, fault, origin).catch(() => request.socket.destroy());
  };
  server.on('request', take);
  server.on('checkContinue', take);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${pathname.replace(/\/$/, '')}`,
    requests,
    connections: () => connections,
    async stop() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

type Deed = (
  request: IncomingMessage,
  response: ServerResponse,
  seen: SeenRequest,
  fault: Fault | undefined,
  origin: string,
) => Promise<void>;

const answerItself: Deed = async (request, response, seen, fault) => {
  if (fault?.kind !== 'answer') return;
  const { after = 0 } = fault;
  const { status, headers = {}, body = '', close = false }: Answer = fault.answer;
  if (after > 0) {
    if (request.headers.expect) response.writeContinue();
    await new Promise<void>((done) => {
      let read = 0;
      const count = (chunk: Buffer): void => {
        read += chunk.length;
        if (read < after) return;
        request.off('data', count).pause();
        done();
      };
      request.on('data', count).on('close', done);
    });
  }
  seen.status = status;
  const length = { 'content-length': String(Buffer.byteLength(body)) };
  response.writeHead(status, { ...length, ...headers, ...(close && { connection: 'close' }) });
  response.end(seen.method === 'HEAD' ? '' : body);
  if (!close) request.resume();
};

const forward: Deed = async (request, response, seen, fault, origin) => {
  const changes = fault?.kind === 'headers' ? fault.request : {};
  const upstream = openUpstream(request, origin, changed(changes));
  response.on('close', () => upstream.destroy());
  const answered = responseOf(upstream);

  const sent = sendBody(request, response, upstream, fault);
  sent.catch(() => {}); // The server may answer, and hang up, before it has read everything.
  const bodyFirst = async (): Promise<IncomingMessage | 'stopped' | undefined> =>
    (await sent.catch(() => true)) ? answered : 'stopped';
  const first = await Promise.race([answered, bodyFirst()]);
  if (first === 'stopped') {
    if (fault?.kind !== 'cut') return; // A stall: nothing follows, and both ends stay open.
    await pause(ARRIVAL);
    upstream.destroy();
    return hangUp(request.socket, fault.how);
  }
  if (!first) return hangUp(request.socket, 'fin');
  await relay(first, request, response, seen, fault);
  // The rest of a request that the server did not want must not be taken for the next one. What still moves it would stop it.
  await sent.catch(() => {});
  request.resume();
};

/** False when the fault wants the body to stop somewhere. */
async function sendBody(
  request: IncomingMessage,
  response: ServerResponse,
  upstream: ReturnType<typeof openUpstream>,
  fault: Fault | undefined,
): Promise<boolean> {
  if (request.headers.expect) {
    const goOn = await Promise.race([
      once(upstream, 'continue').then(() => true),
      responseOf(upstream).then(() => false),
    ]);
    if (!goOn) return true;
    response.writeContinue();
  }
  const whole = await flow(request, upstream, flowOf('request', fault));
  if (whole) upstream.end();
  return whole;
}

async function relay(
  answer: IncomingMessage,
  request: IncomingMessage,
  response: ServerResponse,
  seen: SeenRequest,
  fault: Fault | undefined,
): Promise<void> {
  const { socket } = request;
  const held = (fault?.kind === 'cut' || fault?.kind === 'stall') && fault.of === 'response' ? fault : undefined;
  if (held && held.after === undefined) {
    answer.resume();
    await once(answer, 'end'); // It has done everything, and nobody will know.
    return held.kind === 'cut' ? hangUp(socket, held.how) : undefined;
  }
  seen.status = answer.statusCode;
  relayHead(answer, response, (headers) => {
    if (fault?.kind === 'headers') return changed(fault.response)(headers);
    if (fault?.kind !== 'length') return headers;
    return { ...headers, 'content-length': String(Number(headers['content-length'] ?? 0) + fault.by) };
  });
  response.flushHeaders();
  const whole = await flow(answer, response, flowOf('response', fault));
  if (!whole) {
    if (held?.kind !== 'cut') return;
    await pause(ARRIVAL);
    return hangUp(socket, held.how);
  }
  if (!answer.complete) return hangUp(socket, 'rst');
  response.end();
  if (fault?.kind === 'length' && fault.by > 0) return hangUp(socket, 'fin');
  if (fault?.kind !== 'close-idle') return;
  await pause(fault.after);
  hangUp(socket, 'fin');
}

function flowOf(side: 'request' | 'response', fault: Fault | undefined): Flow {
  if (!fault || !('of' in fault) || fault.of !== side) return {};
  switch (fault.kind) {
    case 'cut':
    case 'stall':
      return { limit: fault.after ?? 0 };
    case 'drip':
      return { slice: fault.bytes, every: fault.every };
    case 'damage':
      return { damage: fault.at };
  }
}

function changed(changes: Changes = {}): (headers: IncomingHttpHeaders) => IncomingHttpHeaders {
  return (headers) => {
    const all = Object.entries({ ...headers, ...changes });
    return Object.fromEntries(all.filter(([, value]) => value !== null)) as IncomingHttpHeaders;
  };
}

/** `fin` closes as a server does that has said all, `rst` as a machine does that knows nothing of the connection. */
function hangUp(socket: Socket, how: 'fin' | 'rst'): void {
  if (how === 'rst') {
    socket.resetAndDestroy();
    return;
  }
  socket.end();
  socket.resume(); // What is unread in the end turns a FIN into a reset.
  setTimeout(() => socket.destroy(), 1000).unref();
}
