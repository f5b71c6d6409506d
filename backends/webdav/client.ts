import type { OutgoingHttpHeaders } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import pRetry from 'p-retry';
import { cancelled, DepotError } from '../errors.ts';
import { exhaust, isExhausted } from '../exhausted.ts';
import { pausesOf, retryLine, Trouble, triesOf } from '../retries.ts';
import { authorization } from './authorization.ts';
import { connections } from './connection.ts';
import { type Answer, type Body, BrokenExchange, discard, exchange } from './exchange.ts';
import { fromNetwork, isUnknownAuthority, notLetIn } from './failures.ts';
import type { WebOptions } from './options.ts';
import { followRedirects } from './redirects.ts';

/** HTTP to one server: with login, redirects, and requests repeated where the network or the server had a bad moment. */
export interface Client {
  /**
   * Resolves with whatever the server answered in the end, whose body is then the caller's to read or discard.
   * @throws DepotError `unreachable`, `credentials` or `cancelled`.
   */
  send(request: Request): Promise<Answer>;
  /**
   * Does work again that failed with a temporary DepotError, after a pause that grows.
   * @param kind what it is in a word: after waiting in vain, further work of that kind has one try until one succeeds. Without
   * it all are waited for.
   */
  persist<T>(work: Work<T>, signal: AbortSignal | undefined, kind?: string): Promise<T>;
  /** What to do to log in. */
  readonly login: string;
}

/** `attempt` counts from 1; `isLast`, asked once it has failed: no other will follow. */
type Work<T> = (attempt: number, isLast: () => boolean) => Promise<T>;

export interface Request {
  /** For the error, should it come to that: "cannot store 4d7a214614 in https://…". */
  what: string;
  method: string;
  url: URL;
  headers?: OutgoingHttpHeaders;
  body?: Body | undefined;
  signal?: AbortSignal | undefined;
  /** Statuses that mean something to the caller, and so are not repeated. */
  final?: readonly number[];
  /** True for what must not be sent twice before somebody has looked what the first did. */
  once?: boolean;
}

/** Worth another try: RFC 9110, RFC 4918 (423), RFC 8470 (425), RFC 6585 (429). 408 is what proxies say on idle connections. */
const PASSING = new Set([408, 423, 425, 429, 500, 502, 503, 504]);

/** What only somebody who was let in hears. Not 429: Nextcloud says so before it looks at the password. */
const LET_IN = new Set([200, 201, 204, 206, 207, 304, 403, 404, 405, 409, 412, 416, 423, 507]);

/** The longest that one `Retry-After` is obeyed, in milliseconds. */
const LONGEST_ORDER = 60_000;

export function clientFor(location: string, web: WebOptions): Client {
  const own = new URL(location);
  const login = `log in: lfs-depot login ${location}`;
  const pool = connections(web);
  const user = authorization(web);
  const proxy = web.proxy && new URL(web.proxy.url).host;
  /** Something has answered. */
  let reached = false;
  /** Grows with each sign of life: answers, and bytes that were taken. */
  let signs = 0;
  /** Methods, and other kinds of work, that were waited for in vain: a push of 500 objects must not wait 500 times. */
  const hopeless = new Set<string>();
  const extra = Object.fromEntries(
    web.headers.map(([name]) => [name, web.headers.flatMap(([other, value]) => (other === name ? value : []))]),
  );

  const livingBody = (body: Body, onSign: () => void): Body => ({
    ...body,
    onSent: (bytes) => {
      onSign();
      body.onSent?.(bytes);
    },
  });

  /** One exchange, with the connection's own troubles behind it. */
  async function ask(request: Request, url: URL, headers: OutgoingHttpHeaders, hesitate: boolean): Promise<Answer> {
    const { method, signal } = request;
    let taken = 0;
    const onSign = (): void => {
      signs++;
      taken++;
    };
    const body = request.body && livingBody(request.body, onSign);
    for (let fresh = false; ; ) {
      const asking = {
        method,
        url,
        headers,
        body,
        signal,
        timeouts: web.timeouts,
        agent: pool.agentFor(url),
        hesitate,
      };
      try {
        const answer = await exchange(asking);
        reached = true;
        // A server that says that it is not able to is no better than silence, whatever it has taken before.
        signs += PASSING.has(answer.status) ? -taken : 1;
        return answer;
      } catch (error) {
        if (isUnknownAuthority(error) && (await pool.trustSystem())) continue;
        // A server may close a connection that was idle just as the next request goes out.
        if (fresh || request.once || !(error instanceof BrokenExchange && error.reused && error.code !== 'ETIMEDOUT'))
          throw error;
        fresh = true;
      }
    }
  }

  /** Answers the question who asks; only ever to the location's own origin. */
  async function askAsUser(request: Request, url: URL, hesitate: boolean): Promise<Answer> {
    const headers = { 'User-Agent': 'lfs-depot', ...request.headers };
    if (url.origin !== own.origin) return ask(request, url, headers, hesitate);
    for (;;) {
      if (user.verdict) throw await notLetIn(undefined, user.verdict, request.what, login);
      const sent = user.headerFor(request.method, url);
      const answer = await ask(request, url, { ...headers, ...extra, ...(sent && { Authorization: sent }) }, hesitate);
      if (answer.status !== 401) {
        if (LET_IN.has(answer.status)) user.acceptedWith(sent);
        return answer;
      }
      const next = await user.refusedWith(sent, answer.stream.headersDistinct['www-authenticate'] ?? []);
      if (next !== 'again') throw await notLetIn(answer, next, request.what, login);
      await discard(answer);
    }
  }

  async function send(request: Request): Promise<Answer> {
    const { what, signal, once } = request;
    // Where there is no other try, a body that is refused unread has to be heard of in this one.
    let hesitate = request.body !== undefined && hopeless.has(request.method);
    const attempt = async (_: number, isLast: () => boolean): Promise<Answer> => {
      let answer: Answer;
      try {
        answer = await followRedirects(request, own, (url) => askAsUser(request, url, hesitate));
      } catch (error) {
        if (error instanceof DepotError || signal?.aborted) throw error;
        // A server that refuses a body may close before anybody could read why: ask first the next time.
        hesitate = request.body !== undefined;
        throw fromNetwork(error, what, request.url.host, proxy);
      }
      if (once || !PASSING.has(answer.status) || request.final?.includes(answer.status)) return answer;
      if (isLast()) return { ...answer, exhausted: true };
      await discard(answer);
      throw new Passing(what, answer);
    };
    try {
      return once ? await attempt(1, () => true) : await persist(attempt, signal, request.method);
    } catch (error) {
      throw signal?.aborted ? cancelled(what) : error;
    }
  }

  async function persist<T>(work: Work<T>, signal: AbortSignal | undefined, kind?: string): Promise<T> {
    const trouble = new Trouble(web.retries.timeout);
    let seen = signs;
    let vain = false;
    let limit = 0;
    const tries = (): number => (kind !== undefined && hopeless.has(kind) ? 1 : triesOf(web.retries, reached));
    const isLast = (attempt: number): boolean => {
      if (signs !== seen) trouble.alive();
      seen = signs;
      limit = tries();
      vain = attempt >= limit || trouble.lastsTooLong();
      return vain;
    };
    const again = (error: Error, attempt: number): boolean => {
      if (error instanceof Passing) return true;
      return error instanceof DepotError && error.temporary && !isExhausted(error) && !isLast(attempt);
    };
    try {
      const done = await pRetry((attempt) => work(attempt, () => isLast(attempt)), {
        // One more than there are: so that it is asked after the last one, too.
        retries: web.retries.count + 1,
        ...pausesOf(web.retries),
        ...(signal && { signal }),
        shouldRetry: async ({ error, attemptNumber }) => {
          if (!again(error, attemptNumber)) return false;
          web.retries.onRetry?.(retryLine(attemptNumber, limit, error.message));
          if (error instanceof Passing) await wait(Math.min(error.after, LONGEST_ORDER), signal);
          return true;
        },
      });
      if (kind !== undefined && !vain) hopeless.delete(kind);
      return done;
    } catch (error) {
      throw error instanceof DepotError ? exhaust(error) : error;
    } finally {
      if (kind !== undefined && vain) hopeless.add(kind);
    }
  }

  return { send, persist, login };
}

/** A status that may pass, and that another attempt follows. */
class Passing extends Error {
  /** Milliseconds that the server asks to wait. */
  readonly after: number;

  constructor(what: string, answer: Answer) {
    super(`${what}: the server said ${answer.status}`);
    this.after = retryAfter(answer);
  }
}

async function wait(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  if (milliseconds > 0) await sleep(milliseconds, undefined, signal ? { signal } : {});
}

/** Milliseconds that the server asks to wait, as seconds or as a date (RFC 9110 §10.2.3). */
function retryAfter({ headers }: Answer): number {
  const value = headers['retry-after'];
  if (value === undefined) return 0;
  const seconds = Number(value);
  const milliseconds = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(value) - Date.now();
  return Math.max(milliseconds || 0, 0);
}
