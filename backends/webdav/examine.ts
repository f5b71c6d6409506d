import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Findings } from '../backend.ts';
import { DepotError } from '../errors.ts';
import { readFile } from './download.ts';
import { discard } from './exchange.ts';
import { failureOf } from './failures.ts';
import { makeFolder } from './folders.ts';
import { lookAt } from './look.ts';
import { assertMounted, type Place } from './place.ts';
import { removeQuietly } from './tidy.ts';

/**
 * Finds out whether MOVE does what an upload relies on: it gives a file another name, whole; it does not touch what stands
 * there when it is told not to (`Overwrite: F`), replaces it when it is told to, and renames rather than copies: sabre/dav 1.8
 * was seen to copy from one folder to another, so that readers see a part.
 */
export async function examine(place: Place, what: string, signal: AbortSignal | undefined): Promise<Findings> {
  const name = (): string => `${place.temp}/depot-examine-${randomBytes(16).toString('hex')}`;
  const [first, second, third, folder] = [name(), name(), name(), name()];
  const fourth = `${folder}/moved`;
  await assertMounted(place, what, signal);
  await makeFolder(place, place.temp, what, signal, true);

  const write = async (path: string, text: string): Promise<void> => {
    const content = Buffer.from(text);
    const body = { size: content.length, chunks: () => [content] };
    const answer = await place.client.send({ what, method: 'PUT', url: place.paths.file(path), body, signal });
    if (![200, 201, 204].includes(answer.status)) throw await failureOf(answer, what, place.client.login);
    await discard(answer);
  };
  const move = async (from: string, to: string, overwrite: 'T' | 'F'): Promise<void> => {
    const headers = { Destination: place.paths.file(to).href, Overwrite: overwrite };
    const url = place.paths.file(from);
    // Repeated like any other request: one bad moment of a proxy must not mark a store for everybody.
    const answer = await place.client.send({ what, method: 'MOVE', url, headers, signal });
    if (PASSING.includes(answer.status)) throw await failureOf(answer, what, place.client.login);
    await discard(answer);
  };
  const text = async (path: string): Promise<string | undefined> =>
    (await readFile(place, path, { signal }, what))?.toString();

  try {
    await write(first, 'first');
    await move(first, third, 'F');
    if ((await text(third)) !== 'first' || (await text(first)) !== undefined) return { move: 'untrusted' };
    await write(second, 'second');
    await move(second, third, 'F');
    if ((await text(third)) !== 'first' || (await text(second)) !== 'second') return { move: 'untrusted' };
    await move(second, third, 'T');
    if ((await text(third)) !== 'second' || (await text(second)) !== undefined) return { move: 'untrusted' };

    // What is renamed keeps its time; what is copied gets a new one. Times are told in whole seconds.
    const before = await lookAt(place, third, what, signal);
    await makeFolder(place, folder, what, signal, true);
    await sleep(1100, undefined, signal ? { signal } : {});
    await move(third, fourth, 'F');
    const after = await lookAt(place, fourth, what, signal);
    if (after === undefined || (await text(third)) !== undefined) return { move: 'untrusted' };
    return before?.version === after.version ? {} : { move: 'copies' };
  } catch (error) {
    if (error instanceof DepotError && error.kind === 'unsupported') return { move: 'untrusted' };
    throw error;
  } finally {
    for (const path of [first, second, third, fourth]) await removeQuietly(place, place.paths.file(path), what);
    await removeQuietly(place, place.paths.folder(folder), what);
  }
}

/** These say nothing of MOVE itself, however often they come. */
const PASSING: readonly number[] = [408, 423, 425, 429, 502, 503, 504];
