import type { Findings } from '../backend.ts';
import { DepotError } from '../errors.ts';
import type { Client } from './client.ts';
import { discard } from './exchange.ts';
import { failureOf, htmlInstead, isHtml } from './failures.ts';
import type { NextcloudUploads } from './nextcloud.ts';
import type { Paths } from './paths.ts';

/** What is known of one open WebDAV folder. */
export interface Place {
  location: string;
  anchor: string;
  temp: string;
  client: Client;
  paths: Paths;
  /** Folders that were seen or made, relative to the root. */
  folders: Set<string>;
  /** Whether folders tend to be missing: the last one was. Then they are made while an upload runs. */
  sparse: boolean;
  /** What MOVE was found to be good for; see examine.ts. */
  moves: 'trusted' | NonNullable<Findings['move']>;
  /** True once a HEAD came back without a length: then PROPFIND is asked. */
  mute: boolean;
  /** Where uploads can go in chunks. */
  uploads: NextcloudUploads | undefined;
}

/** Statuses that mean "there is nothing of that name". */
export const ABSENT: readonly number[] = [404, 410];

/** A path for a message. */
export function inside({ location }: Place, path: string): string {
  return path === '' ? location : `${location}/${path}`;
}

/**
 * Fails unless the anchor stands. Without an anchor, the root must.
 * @throws DepotError `no-store`.
 */
export async function assertMounted(place: Place, what: string, signal?: AbortSignal): Promise<void> {
  if (place.anchor === '') return assertRoot(place, what, signal);
  const url = place.paths.file(place.anchor);
  const answer = await place.client.send({ what, method: 'HEAD', url, signal });
  if (ABSENT.includes(answer.status)) {
    await discard(answer);
    throw notMounted(place, what);
  }
  if (answer.status !== 200) throw await failureOf(answer, what, place.client.login);
  if (isHtml(answer)) throw await htmlInstead(answer, what);
  await discard(answer);
}

async function assertRoot(place: Place, what: string, signal: AbortSignal | undefined): Promise<void> {
  const { propfind } = await import('./propfind.ts');
  if ((await propfind(place, place.paths.folder(''), '0', what, signal)) === undefined) throw notMounted(place, what);
}

export function notMounted(place: Place, what: string): DepotError {
  return new DepotError('no-store', {
    what,
    why: `not mounted, or not a store: ${place.anchor ? `there is no ${place.anchor} in it` : 'that folder does not exist'}`,
    cure: 'check the address, and on the server that the disk with the store is mounted',
  });
}
