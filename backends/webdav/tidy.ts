import { setTimeout as sleep } from 'node:timers/promises';
import { TEMP_NAME } from '../backend.ts';
import { throwIfCancelled } from '../errors.ts';
import { discard } from './exchange.ts';
import { failureOf } from './failures.ts';
import { parentOf } from './folders.ts';
import { ABSENT, assertMounted, type Place } from './place.ts';

/** Removes a file, and its folder when that is now empty and lies in the temp folder. */
export async function removeFile(
  place: Place,
  path: string,
  what: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  await remove(place, place.paths.file(path), what, signal);
  await assertMounted(place, what, signal);
  const folder = parentOf(path);
  if (!folder.startsWith(`${place.temp}/`)) return;
  const { propfind } = await import('./propfind.ts');
  const found = await propfind(place, place.paths.folder(folder), '1', what, signal);
  if (found?.resources.length !== 1) return;
  place.folders.delete(folder);
  await remove(place, place.paths.folder(folder), what, signal);
}

/** What is not there is fine. */
async function remove(place: Place, url: URL, what: string, signal: AbortSignal | undefined): Promise<void> {
  const answer = await place.client.send({ what, method: 'DELETE', url, signal });
  // 409: nginx and others for a folder above it that is missing.
  if (!ABSENT.includes(answer.status) && answer.status !== 409 && (answer.status >= 300 || answer.status === 207)) {
    throw await failureOf(answer, what, place.client.login);
  }
  await discard(answer);
}

/** Removes what dead writers left in the temp folder; ages are differences of the server's own times. */
export async function sweepTemp(
  place: Place,
  olderThan: number,
  what: string,
  signal: AbortSignal | undefined,
): Promise<number> {
  const { propfind } = await import('./propfind.ts');
  const found = await propfind(place, place.paths.folder(place.temp), '1', what, signal);
  if (!found) await assertMounted(place, what, signal);
  let removed = 0;
  for (const { path, isFolder, modified } of found?.resources ?? []) {
    const name = path.slice(place.temp.length + 1);
    if (!TEMP_NAME.test(name) || modified === undefined || found?.now === undefined) continue;
    if (found.now - modified < olderThan) continue;
    throwIfCancelled(signal, what);
    await remove(place, isFolder ? place.paths.folder(path) : place.paths.file(path), what, signal);
    removed++;
  }
  return removed;
}

/** Milliseconds for cleaning up, after which a sweep has to: the session allows a cancelled transfer little more. */
const CLEANUP = 2000;

/**
 * Not with the caller's signal: that it fired is a reason to clean up.
 * @param cut a PUT of it may have been cut off: a server may still write down what it got, even after it was removed
 *   (rclone does), so it is removed a few times.
 */
export async function removeQuietly(place: Place, url: URL, what: string, cut = false): Promise<void> {
  const signal = AbortSignal.timeout(CLEANUP);
  try {
    for (const pause of cut ? [0, 150, 400] : [0]) {
      if (pause > 0) await sleep(pause);
      await discard(await place.client.send({ what, method: 'DELETE', url, signal, once: true }));
    }
  } catch {
    // A later sweep removes it.
  }
}
