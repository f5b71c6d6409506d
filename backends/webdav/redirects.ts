import { DepotError } from '../errors.ts';
import { type Answer, discard } from './exchange.ts';

/** What is asked. */
interface Pointed {
  what: string;
  method: string;
  url: URL;
}

const MAX_REDIRECTS = 5;

/**
 * Follows where the server points: to another origin without credentials and only to read (a server may keep its files
 * elsewhere), never from https to http or back, and with what changes something only to the same name in another folder.
 * @param own the location's URL.
 * @param ask sends the request to a URL; without credentials to another origin than the location's.
 * @throws DepotError `configuration` where it points to another place.
 */
export async function followRedirects(request: Pointed, own: URL, ask: (url: URL) => Promise<Answer>): Promise<Answer> {
  const { method } = request;
  const reads = method === 'GET' || method === 'HEAD';
  let { url } = request;
  let pointed: Answer | undefined;
  for (let hops = 0; ; hops++) {
    const answer = await ask(url);
    const target = redirectOf(answer, url);
    if (!target || isSlash(url, target)) {
      // Not there either, or not for everybody: then it is the address that is wrong.
      const lost = url.origin !== own.origin && answer.status >= 400 && answer.status < 500;
      if (pointed && lost) throw await moved(pointed, url, request, own);
      return answer;
    }
    // Who is sent from http: to https: could not write there, and its settings for TLS are those of another URL.
    const allowed = target.origin === own.origin || (reads && url.protocol === target.protocol);
    // Who sends everybody to a start page must not have that removed, or what lies below it.
    const keeps = reads || ([307, 308].includes(answer.status) && nameIn(target) === nameIn(url));
    if (!allowed || !keeps || hops === MAX_REDIRECTS) throw await moved(answer, target, request, own);
    await discard(answer);
    pointed = answer;
    url = target;
  }
}

function redirectOf({ status, headers }: Answer, from: URL): URL | undefined {
  if (![301, 302, 303, 307, 308].includes(status) || headers.location === undefined) return undefined;
  return URL.parse(headers.location, from) ?? undefined;
}

/** Of the file or folder. */
function nameIn({ pathname }: URL): string | undefined {
  return pathname.split('/').findLast((name) => name !== '');
}

/** How a server says "this is a folder". */
function isSlash(from: URL, to: URL): boolean {
  return to.pathname === `${from.pathname}/`;
}

async function moved(answer: Answer, target: URL, { what, url }: Pointed, own: URL): Promise<DepotError> {
  await discard(answer);
  // Of a file below the location, it is that of the location that is of use.
  const below = url.pathname.slice(own.pathname.length);
  const path = target.pathname.endsWith(below) ? target.pathname.slice(0, -below.length || undefined) : target.pathname;
  const why = `the server points to another place (${answer.status}): ${target.origin}${path}`;
  const cure =
    'if that is where your team keeps the store, use that address as the location: lfs-depot init <location>';
  return new DepotError('configuration', { what, why, cure });
}
