import { parseXML } from 'webdav';
import { DepotError, throwIfCancelled } from '../errors.ts';
import { discard, textOf } from './exchange.ts';
import { failureOf, htmlInstead, isHtml } from './failures.ts';
import { ABSENT, type Place } from './place.ts';

/** One file or folder in a `multistatus` answer (RFC 4918 §14.16). */
export interface Resource {
  /** Relative to the root. */
  path: string;
  isFolder: boolean;
  /** Bytes; 0 for a folder. */
  size: number;
  etag: string | undefined;
  /** Milliseconds since 1970, by the server's clock; undefined where it does not tell. */
  modified: number | undefined;
  /** Bytes that may still be written (RFC 4331). */
  available: number | undefined;
}

export interface Found {
  resources: Resource[];
  /** The server's own time, in milliseconds since 1970. */
  now: number | undefined;
}

const BODY = Buffer.from(
  '<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><prop><resourcetype/><getcontentlength/>' +
    '<getetag/><getlastmodified/><quota-available-bytes/></prop></propfind>',
);

/** More than any folder of a store has in it. */
const LIMIT = 256 * 1024 * 1024;

/** What stands at a URL and, with depth 1, directly in it; undefined when nothing does. */
export async function propfind(
  place: Place,
  url: URL,
  depth: '0' | '1',
  what: string,
  signal: AbortSignal | undefined,
): Promise<Found | undefined> {
  const found = await ask(place, url, depth, what, signal);
  if (!found) return undefined;
  const resources: Resource[] = [];
  for (const { href, prop } of found.responses) {
    const path = place.paths.pathOf(href);
    if (path === undefined || prop === undefined) continue;
    const available = Number(textIn(prop['quota-available-bytes']) ?? Number.NaN);
    resources.push({
      path,
      isFolder: isCollection(prop.resourcetype),
      size: Number(textIn(prop.getcontentlength) ?? 0),
      etag: textIn(prop.getetag),
      modified: Date.parse(textIn(prop.getlastmodified) ?? '') || undefined,
      available: available >= 0 ? available : undefined,
    });
  }
  if (resources.length > 0) return { resources, now: found.now };
  const why = 'the server answered a PROPFIND with nothing that lies there';
  throw new DepotError('unsupported', { what, why, cure: 'check that the address is that of a WebDAV folder' });
}

/** The names of the files directly in a folder anywhere on the server, as they stand in hrefs, with their sizes. */
export async function sizesIn(
  place: Place,
  folder: URL,
  what: string,
  signal: AbortSignal | undefined,
): Promise<Map<string, number> | undefined> {
  const found = await ask(place, folder, '1', what, signal);
  const files = found?.responses.filter(({ prop }) => prop && !isCollection(prop.resourcetype));
  return (
    files &&
    new Map(files.map(({ href, prop }) => [href.replace(/.*\//, ''), Number(textIn(prop?.getcontentlength) ?? 0)]))
  );
}

async function ask(place: Place, url: URL, depth: '0' | '1', what: string, signal: AbortSignal | undefined) {
  const headers = {
    Depth: depth,
    'Content-Type': 'application/xml; charset=utf-8',
    Accept: 'application/xml, text/xml',
  };
  const body = { size: BODY.length, chunks: () => [BODY] };
  // A body that was cut off shows only when it is read: then the whole question is asked again.
  return place.client.persist(async () => {
    const answer = await place.client.send({ what, method: 'PROPFIND', url, headers, body, signal });
    if (answer.status !== 207) {
      if (isHtml(answer) && answer.status === 200) throw await htmlInstead(answer, what);
      if (!ABSENT.includes(answer.status)) throw await failureOf(answer, what, place.client.login);
      await discard(answer);
      return undefined;
    }
    const now = Date.parse(answer.headers.date ?? '') || undefined;
    const text = await textOf(answer, LIMIT);
    throwIfCancelled(signal, what);
    return { now, responses: await responsesIn(text, what) };
  }, signal);
}

/** The text of a property: parsed as a number where it looks like one, an object where it has attributes (lighttpd). */
function textIn(property: unknown): string | undefined {
  if (property === undefined || property === '') return undefined;
  return typeof property === 'object' && property !== null
    ? textIn((property as { text?: unknown }).text)
    : String(property);
}

function isCollection(type: unknown): boolean {
  return typeof type === 'object' && type !== null && 'collection' in type;
}

interface Response {
  href: string;
  /** Of a response without properties: its own status. */
  status: number | undefined;
  prop: Record<string, unknown> | undefined;
}

/** The responses of a multistatus. @throws DepotError `unsupported` for a body that is none, or was cut off. */
export async function responsesIn(xml: string, what: string): Promise<Response[]> {
  try {
    if (!/<\/([\w.-]+:)?multistatus\s*>\s*$/.test(xml) && !/<([\w.-]+:)?multistatus[^>]*\/>\s*$/.test(xml)) {
      throw new Error('it is not a whole multistatus');
    }
    const { multistatus } = (await parseXML(xml)) as unknown as { multistatus?: { response?: unknown } };
    return [multistatus?.response ?? []].flat().map((response) => {
      const { href, status, propstat } = response as { href: unknown; status?: string; propstat?: unknown };
      const good = [propstat ?? []].flat().find((each) => statusIn((each as { status?: string }).status) === 200);
      const prop = (good as { prop?: Record<string, unknown> } | undefined)?.prop;
      return { href: String(href), status: statusIn(status), prop: propstat === undefined ? undefined : (prop ?? {}) };
    });
  } catch (error) {
    throw new DepotError('unreachable', {
      what,
      why: `the server's answer to a PROPFIND could not be read: ${error instanceof Error ? error.message : error}`,
      cure: 'try again; if it stays so, check that the address is a WebDAV folder',
      temporary: true,
      cause: error,
    });
  }
}

function statusIn(line: string | undefined): number | undefined {
  const status = /\s(\d{3})\b/.exec(line ?? '')?.[1];
  return status === undefined ? undefined : Number(status);
}
