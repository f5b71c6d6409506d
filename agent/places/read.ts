import { renameSync, rmSync } from 'node:fs';
import type { CallOptions } from '../../backends/backend.ts';
import { DepotError, isKind, type Kind, throwIfCancelled } from '../../backends/errors.ts';
import { localWriteTrouble } from '../../backends/local-file.ts';
import { rising } from '../../backends/rising.ts';
import { notice } from '../notice.ts';
import type { Oid } from '../oid.ts';
import type { Objects } from '../store.ts';
import { trace } from '../trace.ts';
import { partsOf } from '../transfer-files.ts';
import { nearestOf, type Opened } from './nearest.ts';
import type { Place } from './place.ts';
import type { Refused } from './places.ts';
import { unlessStalled } from './stalling.ts';

/**
 * Reads from the nearest place, and from the next where an object is absent, damaged, or cannot be had. A damaged copy is
 * told of, and replaced by the good one that was found. Places in trouble are left alone for the rest of the process.
 * @param refused places that are not asked at all: what is in no other may be there, and is not called absent.
 */
export function readerOf(places: readonly Place[], refused: readonly Refused[] = []): Objects['get'] {
  const nearest = nearestOf(places);
  let told = false;
  /** Where a damaged copy could not be replaced: that is tried, and told, once. */
  const unhealed = new Set<Place>();

  return async (oid, size, localFile, options = {}) => {
    const failures: Failure[] = [];
    const damaged: Opened[] = [];
    const onProgress = rising(options.onProgress);
    for await (const { place, store } of nearest()) {
      throwIfCancelled(options.signal, `cannot fetch ${oid}`);
      const resume = store.resumes && options.resume === true;
      // One that hangs may wake up later: what it then removes, or makes, must be its own.
      const file = store.resumes || places.length === 1 ? localFile : `${localFile}.${places.indexOf(place)}`;
      const fetch = (call: CallOptions) => store.get(oid, size, file, { ...call, resume });
      const call = { signal: options.signal, onProgress };
      try {
        if (!store.resumes) removeParts(localFile);
        await (places.length > 1 ? unlessStalled(`cannot fetch ${oid} from ${place.name}`, call, fetch) : fetch(call));
        if (file !== localFile) moveLocal(file, localFile);
      } catch (error) {
        if (file !== localFile) rmSync(file, { force: true });
        throwIfCancelled(options.signal, `cannot fetch ${oid}`);
        if (!(error instanceof DepotError) || isHere(error)) throw error;
        place.blame(error);
        failures.push({ place, error });
        if (error.kind === 'corrupt') damaged.push({ place, store });
        continue;
      }
      const good = { oid, size, localFile, signal: options.signal };
      for (const bad of damaged) {
        if (unhealed.has(bad.place)) trace(`${oid} is damaged in ${bad.place.name}, too`);
        else if (!(await heal(bad, place, good))) unhealed.add(bad.place);
      }
      return;
    }
    for (const place of places) {
      if (place.trouble && !failures.some((failure) => failure.place === place)) {
        failures.push({ place, error: place.trouble });
      }
    }
    for (const { text, error } of refused) failures.push({ place: { name: text }, error });
    throwIfCancelled(options.signal, `cannot fetch ${oid}`);
    const error = inAll(`cannot fetch ${oid}`, failures, told);
    told = places.every(({ trouble }) => trouble);
    throw error;
  };
}

function moveLocal(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    throw localWriteTrouble(error, to);
  }
}

function removeParts(localFile: string): void {
  for (const file of partsOf(localFile)) rmSync(file, { force: true });
}

export interface Failure {
  place: Pick<Place, 'name'>;
  error: DepotError;
}

/** What no other place would help with: this computer's disk is full, or nobody waits for it any more. */
function isHere({ kind }: DepotError): boolean {
  return kind === 'no-space' || kind === 'cancelled';
}

/** What no place can be asked about must not be called absent; what is damaged in one and absent in others is damaged. */
const GRAVEST: Kind[] = ['corrupt', 'internal', 'untrusted', 'configuration', 'unsupported', 'credentials', 'denied'];

/**
 * One error for what failed in every place.
 * @param brief without what to do: it was told before.
 */
export function inAll(what: string, failures: Failure[], brief: boolean): DepotError {
  const [only] = failures;
  return only && failures.length === 1 && !brief ? only.error : together(what, failures, brief);
}

/** The same, with `what` even if it failed in one place only. */
export function together(what: string, failures: Failure[], brief: boolean): DepotError {
  const [first] = failures;
  if (!first) return new DepotError('internal', { what, why: 'there is no place to ask', cure: '' });
  const gravest =
    GRAVEST.map((kind) => failures.find(({ error }) => error.kind === kind)).find((found) => found) ??
    failures.find(({ error }) => error.kind !== 'absent') ??
    first;
  const { kind, cure, temporary } = gravest.error;
  const why = failures.map(({ place, error }) => `${place.name}: ${reasonOf(error)}`).join('; ');
  return new DepotError(kind, { what, why, cure: brief ? '' : cure, temporary, cause: gravest.error });
}

/** Of a setting that cannot be used, the reason alone does not tell which it is. */
export function reasonOf(error: DepotError): string {
  return error.kind === 'configuration' ? error.message : error.why;
}

interface Good {
  oid: Oid;
  size: number;
  localFile: string;
  signal: AbortSignal | undefined;
}

/** Replaces a damaged copy; to whether that could be done. That it fails must not cost the good one. */
async function heal({ place, store }: Opened, from: Place, { oid, size, localFile, signal }: Good): Promise<boolean> {
  const copy = `the copy of ${oid.slice(0, 10)} in ${place.name} is damaged`;
  try {
    const outcome = await store.put(oid, size, localFile, { signal, suspect: true });
    if (outcome === 'healed' || outcome === 'stored') notice(`${copy}: healed with the one of ${from.name}`);
    else notice(`${copy}, or was: by now it is right`);
    return true;
  } catch (error) {
    if (isKind(error, 'cancelled')) throw error;
    notice(`${copy}, and could not be healed: ${error instanceof Error ? error.message : error}`);
    return false;
  }
}
