import { cancelled, DepotError } from '../errors.ts';
import { damaged } from '../local-file.ts';
import { type Answer, discard } from './exchange.ts';
import { failureOf, fromNetwork, htmlInstead, isHtml } from './failures.ts';
import { lookAt } from './look.ts';
import { ABSENT, type Place } from './place.ts';
import type { Resource } from './propfind.ts';
import { memorySpent } from './spent-memory.ts';

/** Where the bytes of a file go. */
export interface Sink {
  /** Takes the next bytes, which are its own from then on. The promise, if any, is to be waited for before more are given. */
  take(bytes: Buffer): Promise<void> | undefined;
  /** What was taken so far is void: the file comes from its start again. */
  restart(): Promise<void> | undefined;
}

export interface Receiving {
  what: string;
  signal?: AbortSignal | undefined;
  /** Bytes that the file must have. */
  size?: number | undefined;
  /** Bytes that it should have. */
  likely?: number | undefined;
  /** Where it begins, and what is known of the file that it was begun with. Kept up to date: it is where to go on later. */
  state?: Progress;
}

export interface Progress {
  /** Bytes that the sink has. */
  have: number;
  /** For `If-Range` (RFC 9110 §13.1.5): a strong entity tag, or a date. */
  validator: string | undefined;
}

/** Bytes that must have come before a connection that broke once more counts as alive. */
const HEADWAY = 64 * 1024;

/**
 * Reads a file into a sink, and goes on where a connection broke. Resolves to its size; undefined when nothing is there.
 * @throws DepotError `corrupt` when it has not the size that it must have: a body that ends early never passes for whole.
 */
export async function receive(place: Place, path: string, sink: Sink, options: Receiving): Promise<number | undefined> {
  const state = options.state ?? { have: 0, validator: undefined };
  for (;;) {
    const before = state.have;
    try {
      return await place.client.persist(() => receiveMore(place, path, sink, state, options), options.signal);
    } catch (error) {
      if (options.signal?.aborted) throw cancelled(options.what);
      const alive = state.have - before >= HEADWAY;
      if (!(error instanceof DepotError && error.temporary && alive)) throw error;
    }
  }
}

async function receiveMore(place: Place, path: string, sink: Sink, state: Progress, options: Receiving) {
  const { what, signal, size } = options;
  const url = place.paths.file(path);
  const headers: Record<string, string> = { 'Accept-Encoding': 'identity' };
  if (state.have > 0) {
    headers.Range = `bytes=${state.have}-`;
    if (state.validator !== undefined) headers['If-Range'] = state.validator;
  }
  const answer = await place.client.send({ what, method: 'GET', url, headers, signal });
  const { status } = answer;
  if (ABSENT.includes(status)) {
    await discard(answer);
    return undefined;
  }
  if (status !== 200 && status !== 206) {
    if (status === 416 && state.have > 0) {
      await discard(answer);
      await startOver(sink, state);
      throw new DepotError('unreachable', {
        what,
        why: 'the server has less than it had',
        cure: 'try again',
        temporary: true,
      });
    }
    return absentIfFolder(place, path, await failureOf(answer, what, place.client.login), options);
  }

  const { start, total } = extentOf(answer);
  // A page may be an object, too; and a portal answers for whatever it is asked.
  if (isHtml(answer) && (total === undefined || total !== (size ?? options.likely))) {
    const resource = await resourceAt(place, path, options);
    if (!resource || resource.isFolder || resource.size !== (total ?? resource.size)) {
      const failure = await htmlInstead(answer, what);
      if (resource?.isFolder) return undefined;
      throw failure;
    }
  }
  if (start !== state.have || isOther(answer, state)) await startOver(sink, state);
  if (start !== state.have) {
    answer.stream.destroy();
    throw new DepotError('unreachable', {
      what,
      why: 'the server sent another part than it was asked for',
      cure: 'try again',
      temporary: true,
    });
  }
  if (size !== undefined && total !== undefined && total !== size) {
    answer.stream.destroy();
    throw damaged(what, `has ${total} bytes, not ${size}`);
  }
  state.validator = validatorOf(answer) ?? state.validator;
  await drain(answer, sink, state, url.host, options);
  const whole = size ?? total ?? state.have;
  if (state.have === whole) return whole;
  // Without a length nobody can tell a short file from one that was cut off, but for asking how long it is.
  const known = total ?? (await lookAt(place, path, what, signal))?.size;
  if (known === state.have) throw damaged(what, `has ${known} bytes, not ${whole}`);
  throw brokenOff(`the answer ended after ${state.have} of ${whole} bytes`, what, url.host);
}

function brokenOff(why: string, what: string, host: string): DepotError {
  return fromNetwork(Object.assign(new Error(why), { code: 'ECONNRESET' }), what, host);
}

async function drain({ stream }: Answer, sink: Sink, state: Progress, host: string, { what, signal, size }: Receiving) {
  try {
    for await (const chunk of stream) {
      memorySpent(chunk.length);
      if (size !== undefined && state.have + chunk.length > size) throw damaged(what, `has more than ${size} bytes`);
      const wait = sink.take(chunk);
      state.have += chunk.length;
      if (wait) await wait;
    }
  } catch (error) {
    stream.destroy();
    if (signal?.aborted) throw cancelled(what);
    throw stream.errored && stream.errored === error ? fromNetwork(error, what, host) : error;
  }
}

async function startOver(sink: Sink, state: Progress): Promise<void> {
  state.have = 0;
  state.validator = undefined;
  await sink.restart();
}

/** Servers answer a GET of a folder in many ways: with a page for people, a redirect, 403, 404, 405, 501. */
async function absentIfFolder(place: Place, path: string, failure: DepotError, options: Receiving): Promise<undefined> {
  if ((await resourceAt(place, path, options))?.isFolder) return undefined;
  throw failure;
}

/** What PROPFIND says of a path; undefined where it says nothing, or cannot be asked. */
async function resourceAt(place: Place, path: string, { what, signal }: Receiving): Promise<Resource | undefined> {
  const { propfind } = await import('./propfind.ts');
  try {
    const found = await propfind(place, place.paths.file(path), '0', what, signal);
    return found?.resources.find((each) => each.path === path);
  } catch {
    return undefined;
  }
}

/** Where the bytes of an answer begin in the file, and how many the file has. */
function extentOf({ status, headers }: Answer): { start: number; total: number | undefined } {
  const length = headers['content-length'] === undefined ? undefined : Number(headers['content-length']);
  if (status === 200) return { start: 0, total: length };
  const [, start, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers['content-range'] ?? '') ?? [];
  if (start === undefined) return { start: Number.NaN, total: undefined };
  const known = total === '*' ? (length === undefined ? undefined : Number(start) + length) : Number(total);
  return { start: Number(start), total: known };
}

/** A part of another version than the one that was begun: not every server heeds `If-Range`. */
function isOther({ status, headers }: Answer, { validator }: Progress): boolean {
  if (status !== 206 || validator === undefined) return false;
  const now = validator.startsWith('"') ? headers.etag : headers['last-modified'];
  return now !== undefined && now !== validator;
}

/** A weak tag is not fit for ranges, and a date only once it is older than the clock's second. */
function validatorOf({ headers }: Answer): string | undefined {
  const { etag, date } = headers;
  if (etag && !etag.startsWith('W/')) return etag;
  const modified = headers['last-modified'];
  return modified && date && Date.parse(date) - Date.parse(modified) >= 2000 ? modified : undefined;
}
