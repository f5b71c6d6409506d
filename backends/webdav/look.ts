import type { Entry } from '../backend.ts';
import { type Answer, discard } from './exchange.ts';
import { failureOf, isHtml } from './failures.ts';
import { ABSENT, type Place } from './place.ts';

/**
 * The file at a path: one HEAD, and a PROPFIND only where that does not tell. Undefined when there is none; whether the
 * storage is mounted is not asked.
 */
export async function lookAt(
  place: Place,
  path: string,
  what: string,
  signal?: AbortSignal,
): Promise<Entry | undefined> {
  const url = place.paths.file(path);
  if (!place.mute) {
    const answer = await place.client.send({ what, method: 'HEAD', url, signal });
    const { status, headers } = answer;
    await discard(answer);
    if (ABSENT.includes(status)) return undefined;
    if (status >= 500) throw await failureOf(answer, what, place.client.login);
    const length = headers['content-length'];
    if (status === 200 && length !== undefined && !isHtml(answer)) {
      return { path, size: Number(length), version: versionIn(answer) };
    }
    // A login page has a type of its own, a folder often has, and some servers leave out the length of everything. Apache
    // says 403 in the moment in which somebody replaces the file.
    if (status === 200 && !isHtml(answer)) place.mute = true;
  }
  const { propfind } = await import('./propfind.ts');
  const found = await propfind(place, url, '0', what, signal);
  const resource = found?.resources.find((each) => each.path === path);
  return resource && !resource.isFolder ? { path, size: resource.size, version: versionOf(resource) } : undefined;
}

/**
 * What changes with the content: size and time, or the entity tag where there is no time. Not the tag before all, since
 * HEAD and PROPFIND of one server may differ in whether they tell it, and Apache in whether it is weak.
 */
export function versionOf(known: { etag: string | undefined; modified: number | undefined; size: number }): string {
  return `${known.size}@${known.modified ?? known.etag}`;
}

function versionIn({ headers }: Answer): string {
  const modified = Date.parse(headers['last-modified'] ?? '') || undefined;
  return versionOf({ etag: headers.etag, modified, size: Number(headers['content-length']) });
}
