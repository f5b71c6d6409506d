import { createHash } from 'node:crypto';
import { homedir, hostname } from 'node:os';
import type { PutOptions } from '../backend.ts';
import { DepotError, isKind } from '../errors.ts';
import { type Answer, discard } from './exchange.ts';
import { failureOf } from './failures.ts';
import { makeFolder, parentOf } from './folders.ts';
import { lookAt } from './look.ts';
import { ABSENT, type Place } from './place.ts';
import type { Source } from './source.ts';

/**
 * Nextcloud's and ownCloud's chunked uploads, version 2 (Nextcloud's developer manual, "Chunked file upload"): the parts
 * of a file are PUT into a folder of the user's own, and the server joins them under the name they are MOVEd to. So an
 * upload passes a proxy that limits the size of a body, and one that broke off goes on where it stopped, also in the next
 * run: the server keeps the parts for a day.
 */
export interface NextcloudUploads {
  /** Whether an object of this size goes up in parts from the start. */
  suits(size: number): boolean;
  /** The temp name for an object: the same in the next run of this computer, as the server hears it with every part. */
  tempName(sha256: string): string;
  send(place: Place, temp: string, source: Source, options: PutOptions, what: string): Promise<void>;
}

/** Bytes of a part. Below what Cloudflare (100 MB) and Nextcloud's own manual (512 MB) let through. */
const PART = 64 * 1024 * 1024;
/** The smallest that Nextcloud takes for all but the last: for proxies that let less through. */
const SMALLEST_PART = 5 * 1024 * 1024;
const MOST_PARTS = 10_000;

/** For a location below `remote.php/dav/files/<user>`; undefined for any other. */
export function nextcloudUploads(location: string): NextcloudUploads | undefined {
  const [, before, user] =
    /^(https?:\/\/[^/]+(?:\/.*)?\/remote\.php\/dav)\/files\/([^/]+)(?:\/|$)/.exec(location) ?? [];
  if (before === undefined) return undefined;
  const folder = (name: string): URL => new URL(`${before}/uploads/${user}/${name}/`);
  let part = PART;

  async function send(place: Place, temp: string, source: Source, options: PutOptions, what: string): Promise<void> {
    // A body that was refused was no part yet.
    if (!suits(options.size)) part = SMALLEST_PART;
    try {
      await sendInParts(place, temp, source, options, what);
    } catch (error) {
      if (!isTooLarge(error) || part === SMALLEST_PART) throw error;
      part = SMALLEST_PART;
      await sendInParts(place, temp, source, options, what);
    }
  }

  async function sendInParts(
    place: Place,
    temp: string,
    source: Source,
    options: PutOptions,
    what: string,
  ): Promise<void> {
    const { size, sha256, signal } = options;
    const length = Math.max(part, Math.ceil(size / MOST_PARTS));
    const destination = place.paths.file(temp).href;
    // Parts belong to the place that was named with them.
    const mark = createHash('sha256').update(destination).digest('hex').slice(0, 16);
    const upload = folder(`depot-${sha256}-${length}-${mark}`);
    const headers = { Destination: destination, 'OC-Total-Length': size };
    // No part of a damaged file may get there: the next run would take it for one of the right file.
    await source.verify();
    if ((await lookAt(place, temp, what, signal))?.size === size) return;
    // They are joined only in a folder that is there, and after gigabytes is late to learn that it is not.
    await makeFolder(place, parentOf(temp), what, signal);
    const there = await partsThere(place, upload, headers, what, signal);
    try {
      for (let start = 0, number = 1; start < size; start += length, number++) {
        const name = String(number).padStart(5, '0');
        const body = source.part(start, Math.min(length, size - start));
        if (there.get(name) === body.size) {
          await source.skip(start, body.size);
          continue;
        }
        const url = new URL(name, upload);
        const answer = await place.client.send({ what, method: 'PUT', url, headers, body, signal });
        if (ABSENT.includes(answer.status)) throw await partsLost(answer, what);
        if (![200, 201, 204].includes(answer.status)) throw await failureOf(answer, what, place.client.login);
        await discard(answer);
      }
    } catch (error) {
      // Parts of a damaged file, or parts that never fit through, are of no use to the next run.
      if (isKind(error, 'corrupt') || isTooLarge(error)) await forget(place, upload, what);
      throw error;
    }
    await join(place, upload, temp, headers, size, what, signal);
  }

  const suits = (size: number): boolean => size > part;
  return { suits, tempName: (sha256) => `depot-parts-${sha256}@${thisComputer()}`, send };
}

/** Two computers that send one object at once keep out of each other's way. */
function thisComputer(): string {
  return createHash('sha256').update(`${hostname()} ${homedir()}`).digest('hex').slice(0, 16);
}

type Headers = Record<string, string | number>;

/** The parts that an earlier run has brought, by name, with their sizes; makes the folder where there is none. */
async function partsThere(place: Place, upload: URL, headers: Headers, what: string, signal: AbortSignal | undefined) {
  const { sizesIn } = await import('./propfind.ts');
  const found = await sizesIn(place, upload, what, signal);
  if (found) return found;
  const answer = await place.client.send({ what, method: 'MKCOL', url: upload, headers, signal });
  if (answer.status !== 201 && answer.status !== 405) throw await failureOf(answer, what, place.client.login);
  await discard(answer);
  return new Map<string, number>();
}

/** Joining gigabytes takes a while, in which a proxy may give up; the server goes on, and is locked (423) until it is done. */
async function join(
  place: Place,
  upload: URL,
  temp: string,
  headers: Headers,
  size: number,
  what: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  await place.client.persist(async (attempt) => {
    if (attempt > 1 && (await lookAt(place, temp, what, signal))?.size === size) return;
    const url = new URL('.file', upload);
    const answer = await place.client.send({ what, method: 'MOVE', url, headers, signal, once: true });
    if ([200, 201, 204].includes(answer.status)) return discard(answer);
    if (!ABSENT.includes(answer.status)) throw await failureOf(answer, what, place.client.login);
    const failure = await partsLost(answer, what);
    if ((await lookAt(place, temp, what, signal))?.size === size) return;
    throw failure;
  }, signal);
}

async function partsLost(answer: Answer, what: string): Promise<DepotError> {
  await discard(answer);
  const why = 'the server has lost the parts of this upload, or another upload of the same object took them';
  return new DepotError('conflict', { what, why, cure: 'push again' });
}

async function forget(place: Place, upload: URL, what: string): Promise<void> {
  const signal = AbortSignal.timeout(10_000);
  try {
    // Tried again: who refuses a body often closes the connection, too.
    await discard(await place.client.send({ what, method: 'DELETE', url: upload, signal }));
  } catch {
    // The server removes it within a day.
  }
}

function isTooLarge(error: unknown): boolean {
  return isKind(error, 'no-space') && / 413 /.test(error.why);
}
