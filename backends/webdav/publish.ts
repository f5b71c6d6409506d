import { setTimeout as sleep } from 'node:timers/promises';
import type { PutOutcome } from '../backend.ts';
import { DepotError } from '../errors.ts';
import { type Answer, discard, textOf } from './exchange.ts';
import { failureOf, htmlInstead, isHtml } from './failures.ts';
import { forgetFolder, makeFolder, parentOf } from './folders.ts';
import { lookAt } from './look.ts';
import { assertMounted, inside, type Place } from './place.ts';

interface Publishing {
  what: string;
  size: number;
  /** The version that may be replaced. */
  replace?: string | undefined;
  signal: AbortSignal | undefined;
}

/**
 * Gives a file in the temp folder its final name. A MOVE whose answer got lost, or which a proxy answered in the server's
 * place, may have happened: so it is looked at before it is tried again.
 */
export async function publish(place: Place, temp: string, path: string, options: Publishing): Promise<PutOutcome> {
  const { what, signal } = options;
  return place.client.persist(
    async () => {
      let madeFolder = false;
      for (;;) {
        const overwrite = await mayOverwrite(place, path, options);
        if (overwrite === 'no') return 'exists';
        const told = await move(place, temp, path, overwrite === 'yes', options);
        if (told === 'created' && overwrite === 'yes') await assertStands(place, path, options);
        if (told === 'created' || told === 'exists') return told;
        const noParent = NO_PARENT.includes(told.status);
        if (noParent && !madeFolder) {
          madeFolder = true;
          forgetFolder(place, parentOf(path));
          await makeFolder(place, parentOf(path), what, signal);
          continue;
        }
        const seen = await whatHappened(place, temp, path, options);
        if (seen) return seen;
        // Once the folder stands, a 500 is the server's bad moment.
        throw noParent && told.status !== 500 ? cannot(place, path, options) : told.failure;
      }
    },
    signal,
    'MOVE',
  );
}

/** Whether something stands there that is to be replaced; `no`: it is not what the caller saw. */
async function mayOverwrite(place: Place, path: string, { replace, what, signal }: Publishing) {
  if (replace === undefined) return 'not needed';
  const found = await lookAt(place, path, what, signal);
  if (!found) return 'not needed';
  return found.version === replace ? 'yes' : 'no';
}

/** To overwrite, servers remove first: of two who do so at once, one removes what the other has brought, for a moment. */
async function assertStands(place: Place, path: string, { what, size, signal }: Publishing): Promise<void> {
  for (const pause of [0, 50, 200, 500]) {
    if (pause > 0) await sleep(pause, undefined, signal ? { signal } : {});
    const found = await lookAt(place, path, what, signal);
    if (found?.size === size) return;
  }
  const why = 'somebody else replaced or removed it in the same moment';
  throw new DepotError('conflict', { what, why, cure: 'push again' });
}

/** What came of a MOVE that may not have happened. */
interface Unclear {
  /** 0 where no answer came. */
  status: number;
  failure: DepotError;
}

/** One MOVE. */
async function move(
  place: Place,
  temp: string,
  path: string,
  overwrite: boolean,
  { what, signal }: Publishing,
): Promise<PutOutcome | Unclear> {
  const headers = { Destination: place.paths.file(path).href, Overwrite: overwrite ? 'T' : 'F' };
  let answer: Answer;
  try {
    answer = await place.client.send({
      what,
      method: 'MOVE',
      url: place.paths.file(temp),
      headers,
      signal,
      once: true,
    });
  } catch (error) {
    if (error instanceof DepotError && error.kind === 'unreachable') return { status: 0, failure: error };
    throw error;
  }
  const status = answer.status === 207 ? await statusInside(answer, what) : answer.status;
  // Not 200: that may be a portal's login page.
  if (status === 201 || status === 204) {
    await discard(answer);
    place.folders.add(parentOf(path));
    return 'created';
  }
  if (status === 412) {
    await discard(answer);
    return 'exists';
  }
  const page = status === 200 && isHtml(answer);
  const failure = page ? htmlInstead(answer, what) : failureOf({ ...answer, status }, what, place.client.login);
  return { status, failure: await failure };
}

/** RFC 4918 §9.9.4 has 409 for a missing parent; Apache says 500, rclone 403, nginx 404 and 409. */
const NO_PARENT: readonly number[] = [403, 404, 409, 500];

/** The first failure that a multistatus tells; its success where it tells none. */
async function statusInside(answer: Answer, what: string): Promise<number> {
  const { responsesIn } = await import('./propfind.ts');
  const statuses = (await responsesIn(await textOf(answer, 64 * 1024), what)).map(({ status }) => status ?? 200);
  return statuses.find((status) => status >= 300) ?? 204;
}

/** After an unclear MOVE: ours is gone from its temp name only if it has the final one. Undefined: it did not happen. */
async function whatHappened(place: Place, temp: string, path: string, { what, size, replace, signal }: Publishing) {
  // In this order: the server may still be about to do it, and then it is seen under one of the two.
  let still = await lookAt(place, temp, what, signal);
  const final = await lookAt(place, path, what, signal);
  // Or under both, when it is done between the two looks.
  if (still && final) still = await lookAt(place, temp, what, signal);
  if (still) return final && (replace === undefined || final.version !== replace) ? 'exists' : undefined;
  if (final?.size === size) return 'created';
  await assertMounted(place, what, signal);
  const why = `the file was stored as ${temp} there, and is gone from there without having got its name`;
  throw new DepotError('conflict', { what, why, cure: 'look for a program that tidies up there, and push again' });
}

function cannot(place: Place, path: string, { what }: Publishing): DepotError {
  return new DepotError('denied', {
    what,
    why: `the server does not let it have its name, ${inside(place, path)}`,
    cure: 'run `lfs-depot doctor`, which finds out whether this server can move files; or ask for the right to write there',
  });
}
