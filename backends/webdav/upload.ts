import { createHash, randomBytes } from 'node:crypto';
import type { CallOptions, PutOptions, PutOutcome } from '../backend.ts';
import { DepotError, isKind, throwIfCancelled } from '../errors.ts';
import { putDirectly } from './direct.ts';
import { type Body, discard } from './exchange.ts';
import { failureOf } from './failures.ts';
import { forgetFolder, makeFolder, parentOf } from './folders.ts';
import { lookAt } from './look.ts';
import { assertMounted, type Place } from './place.ts';
import { publish } from './publish.ts';
import { SMALL, type Source, sourceOf } from './source.ts';
import { removeQuietly } from './tidy.ts';

/** Temp name → look at what arrived → final name. See the contract of `put` in backend.ts. */
export async function putFile(
  place: Place,
  path: string,
  localFile: string,
  options: PutOptions,
  what: string,
): Promise<PutOutcome> {
  const source = sourceOf(localFile, options, what);
  try {
    const outcome =
      place.moves === 'untrusted'
        ? await putDirectly(place, path, source.body(), options, what)
        : await putBesides(place, path, source, options, what);
    // An empty file has no bytes that could be told of.
    if (options.size === 0) options.onProgress?.(0);
    return outcome;
  } finally {
    source.close();
  }
}

/** A small file, without the look for the anchor: it may be the anchor. */
export async function writeFile(
  place: Place,
  path: string,
  content: Uint8Array,
  options: CallOptions | undefined,
  what: string,
): Promise<PutOutcome> {
  const body: Body = { size: content.length, chunks: () => [content] };
  const { signal } = options ?? {};
  if (place.moves === 'untrusted')
    return putDirectly(place, path, body, { size: content.length, sha256: sha256Of(content), signal }, what);
  return viaTemp(place, tempFor(place, path, freshName('write')), what, async (temp) => {
    await sendTo(place, temp, body, what, signal);
    await arrived(place, temp, content.length, what, signal);
    return publish(place, temp, path, { what, size: content.length, signal });
  });
}

function sha256Of(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

function putBesides(
  place: Place,
  path: string,
  source: Source,
  options: PutOptions,
  what: string,
): Promise<PutOutcome> {
  const { size, signal } = options;
  const { uploads } = place;
  const name = uploads?.suits(size) ? uploads.tempName(options.sha256) : undefined;
  const work = async (temp: string): Promise<PutOutcome> => {
    const folder = parentOf(path);
    // Where folders tend to be missing, this one is made on the way, and costs no time of its own.
    const ahead = place.sparse && place.moves === 'trusted' && size <= SMALL && !place.folders.has(folder);
    const mounted = ahead ? assertMounted(place, what, signal) : undefined;
    mounted?.catch(() => {});
    if (uploads?.suits(size)) await uploads.send(place, temp, source, options, what);
    else await sendOrSplit(place, temp, source, options, what);
    await all([
      arrived(place, temp, size, what, signal),
      // The temp file may have gone into an empty folder on which the disk is not mounted.
      mounted?.then(() => makeFolder(place, folder, what, signal, true)) ?? assertMounted(place, what, signal),
    ]);
    throwIfCancelled(signal, what);
    return publish(place, temp, path, { what, size, replace: options.replace, signal });
  };
  return viaTemp(place, tempFor(place, path, name ?? freshName('put')), what, work, name !== undefined);
}

/** A body that a proxy finds too large may still go through in parts. */
async function sendOrSplit(
  place: Place,
  temp: string,
  source: Source,
  options: PutOptions,
  what: string,
): Promise<void> {
  try {
    await sendTo(place, temp, source.body(), what, options.signal);
  } catch (error) {
    if (!place.uploads || !isKind(error, 'no-space') || !/ 413 /.test(error.why)) throw error;
    await place.uploads.send(place, temp, source, options, what);
  }
}

/** PUTs a body to a name in the temp folder, which is made where it is missing. */
async function sendTo(
  place: Place,
  temp: string,
  body: Body,
  what: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const url = place.paths.file(temp);
  const headers = { 'Content-Type': 'application/octet-stream' };
  for (let tries = 0; ; tries++) {
    const final = tries === 0 ? NO_PARENT : undefined;
    const answer = await place.client.send({
      what,
      method: 'PUT',
      url,
      headers,
      body,
      signal,
      ...(final && { final }),
    });
    if (STORED.includes(answer.status)) return discard(answer);
    const failure = await failureOf(answer, what, place.client.login);
    // Without the anchor nothing is mounted there: that explains it, and nothing is made there.
    await assertMounted(place, what, signal);
    if (!final?.includes(answer.status) || answer.status === 403) throw failure;
    forgetFolder(place, parentOf(temp));
    await makeFolder(place, parentOf(temp), what, signal, true);
  }
}

const STORED: readonly number[] = [200, 201, 204];

/** What servers say to a PUT or a MOVE into a folder that does not exist; see also RFC 4918 §9.7.1, which has 409. */
export const NO_PARENT: readonly number[] = [403, 404, 409, 500];

/**
 * Makes sure that the server has as many bytes as were sent: a 201 alone proves nothing (a full disk was seen to give 201
 * and a truncated file).
 */
export async function arrived(
  place: Place,
  path: string,
  size: number,
  what: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const found = await lookAt(place, path, what, signal);
  if (found?.size === size) return;
  if (!found) await assertMounted(place, what, signal);
  throw new DepotError('no-space', {
    what,
    why: `the server said that it stored ${size} bytes, and has ${found?.size ?? 'none of them'}`,
    cure: 'the disk or your quota there may be full: look at it, free some space, and push again',
  });
}

function freshName(purpose: string): string {
  return `depot-${purpose}-${randomBytes(16).toString('hex')}`;
}

/** In the temp folder; beside the final name where a MOVE between folders would copy, and readers see it half done. */
function tempFor(place: Place, path: string, name: string): string {
  if (place.moves !== 'copies') return `${place.temp}/${name}`;
  const folder = parentOf(path);
  return folder === '' ? name : `${folder}/${name}`;
}

/**
 * Does work with a temp file, and removes what is left there, whatever happens.
 * @param keep leaves it after a failure: the next run goes on with it, or another one is at it.
 */
async function viaTemp(
  place: Place,
  temp: string,
  what: string,
  work: (temp: string) => Promise<PutOutcome>,
  keep = false,
): Promise<PutOutcome> {
  let outcome: PutOutcome | undefined;
  try {
    outcome = await work(temp);
    return outcome;
  } finally {
    if (outcome !== 'created' && !(keep && outcome === undefined)) {
      await removeQuietly(place, place.paths.file(temp), what, outcome === undefined);
    }
  }
}

/** As Promise.all, but returns only when none of them is under way any more. */
async function all(works: Promise<unknown>[]): Promise<void> {
  const outcomes = await Promise.allSettled(works);
  // That nothing is mounted explains the others.
  const reasons = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
  const first = reasons.find((reason) => isKind(reason, 'no-store')) ?? reasons[0];
  if (first !== undefined) throw first;
}
