import { setTimeout as sleep } from 'node:timers/promises';
import type { CallOptions, Entry, PutOutcome } from '../backend.ts';
import { DepotError } from '../errors.ts';
import { digestFile } from './download.ts';
import { type Body, discard } from './exchange.ts';
import { failureOf } from './failures.ts';
import { forgetFolder, makeFolder, parentOf } from './folders.ts';
import { lookAt } from './look.ts';
import { assertMounted, type Place } from './place.ts';
import { removeQuietly } from './tidy.ts';

interface Promised extends CallOptions {
  size: number;
  sha256: string;
  replace?: string | undefined;
}

/**
 * Where MOVE cannot be trusted: PUT to the final name, then read it back, and remove what is wrong. A reader may see a part
 * for as long as the PUT runs, a writer that is killed may leave one, which the next push replaces, and of two writers of
 * one name the second may spoil what the first was told is there: better has to come from a server on which MOVE works.
 */
export async function putDirectly(
  place: Place,
  path: string,
  body: Body,
  options: Promised,
  what: string,
): Promise<PutOutcome> {
  const { signal, size, replace, sha256 } = options;
  const found = await lookAt(place, path, what, signal);
  if (found && found.version !== replace) return 'exists';
  if (path !== place.anchor) await assertMounted(place, what, signal);
  try {
    if ((await putTo(place, path, body, found !== undefined, options, what)) === 'exists') return 'exists';
  } catch (error) {
    await removeBroken(place, path, found, size, what);
    throw error;
  }
  // Another writer may be at it in this very moment: then it is right soon.
  let got: string | undefined;
  for (const pause of [0, 500, 1000]) {
    if (pause > 0) await sleep(pause, undefined, signal ? { signal } : {});
    got = await digestFile(place, path, { signal }, what, size);
    if (got === sha256) return 'created';
  }
  await removeBroken(place, path, found, undefined, what);
  throw new DepotError('corrupt', {
    what,
    why: `what the server gives back is not what was sent to it (${got === undefined ? 'nothing' : `SHA-256 ${got}`})`,
    cure: 'it was removed again. Look whether the disk there is full, and push again',
    temporary: true,
  });
}

/**
 * Removes what a PUT that failed has left: not what stood there before it and still does, not what has the right size,
 * which another writer may rely on, not what is being written, and never the anchor, without which no store is there.
 */
async function removeBroken(
  place: Place,
  path: string,
  before: Entry | undefined,
  size: number | undefined,
  what: string,
) {
  if (path === place.anchor) return;
  const signal = AbortSignal.timeout(2500);
  let seen: string | undefined;
  try {
    // A server that was cut off may still be writing down what it got: until it looks the same twice.
    for (const pause of [0, 300, 400, 500]) {
      if (pause > 0) await sleep(pause);
      const left = await lookAt(place, path, what, signal);
      if (left && (left.size === size || left.version === before?.version)) return;
      const now = left?.version ?? 'absent';
      if (now === seen) {
        if (left) await removeQuietly(place, place.paths.file(path), what);
        return;
      }
      seen = now;
    }
  } catch {
    // The next push judges what is there.
  }
}

async function putTo(
  place: Place,
  path: string,
  body: Body,
  over: boolean,
  { signal }: Promised,
  what: string,
): Promise<PutOutcome> {
  const url = place.paths.file(path);
  // Some servers honour it; then the first of two writers wins.
  const headers = { 'Content-Type': 'application/octet-stream', ...(!over && { 'If-None-Match': '*' }) };
  for (let tries = 0; ; tries++) {
    const final = tries === 0 ? [403, 404, 409, 500] : [];
    const answer = await place.client.send({ what, method: 'PUT', url, headers, body, signal, final });
    const { status } = answer;
    if (status === 412 || [200, 201, 204].includes(status)) {
      await discard(answer);
      return status === 412 ? 'exists' : 'created';
    }
    const failure = await failureOf(answer, what, place.client.login);
    if (!final.includes(status) || parentOf(path) === '') throw failure;
    forgetFolder(place, parentOf(path));
    await makeFolder(place, parentOf(path), what, signal);
  }
}
