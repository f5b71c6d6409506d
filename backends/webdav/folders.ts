import { discard } from './exchange.ts';
import { failureOf } from './failures.ts';
import { assertMounted, inside, type Place } from './place.ts';

/** The folder that a path lies in; '' for the root. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0));
}

/**
 * Makes a folder below the root, and those above it that are missing. Asks for the deepest first: mostly it alone is
 * missing. The root itself is never made here: without it, or without its anchor, nothing is mounted.
 * @param mounted true where the anchor was seen just now.
 */
export async function makeFolder(
  place: Place,
  folder: string,
  what: string,
  signal?: AbortSignal,
  mounted = false,
): Promise<void> {
  if (folder === '' || place.folders.has(folder)) return;
  if (!mounted) await assertMounted(place, what, signal);
  const url = place.paths.folder(folder);
  for (let tries = 0; ; tries++) {
    const answer = await place.client.send({ what, method: 'MKCOL', url, signal, final: [500] });
    const { status } = answer;
    if (status === 201 || status === 405 || status === 200) {
      await discard(answer);
      place.sparse = status !== 405;
      place.folders.add(folder);
      return;
    }
    const parent = parentOf(folder);
    // 409 is what RFC 4918 says for a missing parent; some say 404, 403 or 500. Apache says 403 to one of several that make
    // one folder at once, too.
    if (![403, 404, 409, 500].includes(status) || tries === 2)
      throw await failureOf(answer, `${what}: cannot make ${inside(place, folder)}`, place.client.login);
    await discard(answer);
    if (status !== 403 && parent !== '') {
      place.folders.delete(parent);
      await makeFolder(place, parent, what, signal, true);
    } else if (await isFolder(place, folder, what, signal)) {
      place.folders.add(folder);
      return;
    }
  }
}

async function isFolder(place: Place, folder: string, what: string, signal: AbortSignal | undefined): Promise<boolean> {
  const { propfind } = await import('./propfind.ts');
  const found = await propfind(place, place.paths.folder(folder), '0', what, signal);
  return found?.resources.some((each) => each.path === folder && each.isFolder) ?? false;
}

/** Forgets a folder that turned out to be gone, with all that was in it. */
export function forgetFolder(place: Place, folder: string): void {
  for (const known of place.folders)
    if (known === folder || known.startsWith(`${folder}/`)) place.folders.delete(known);
}
