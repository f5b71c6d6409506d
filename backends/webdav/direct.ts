import type { CallOptions, PutOutcome } from '../backend.ts';
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
 * for as long as the PUT runs, and a writer that is killed may leave one, which the next push replaces: better has to come
 * from a server on which MOVE works.
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
    await removeUnlessWhole(place, path, size, what);
    throw error;
  }
  const got = await digestFile(place, path, { signal }, what);
  if (got === sha256) return 'created';
  await removeQuietly(place, place.paths.file(path), what);
  throw new DepotError('corrupt', {
    what,
    why: `what the server gives back is not what was sent to it (${got === undefined ? 'nothing' : `SHA-256 ${got}`})`,
    cure: 'it was removed again. Look whether the disk there is full, and push again',
    temporary: true,
  });
}

/** What a PUT that failed has left, unless it has the right size: then another writer may rely on it. */
async function removeUnlessWhole(place: Place, path: string, size: number, what: string): Promise<void> {
  try {
    const left = await lookAt(place, path, what, AbortSignal.timeout(1000));
    if (left && left.size !== size) await removeQuietly(place, place.paths.file(path), what);
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
