import type { Store } from '../store.ts';
import type { Place } from './place.ts';

export interface Opened {
  place: Place;
  store: Store;
}

/** Milliseconds after which a place that has not opened yet no longer keeps the farther ones from being asked. */
const HESITATE = 3000;

/**
 * The places to read from, nearest first: folders, as they are listed, before what lies behind a network; of servers the one
 * that answers first. Only as many are opened as are needed: while a folder has what is asked for, no server hears
 * of it. The order is found once in a process.
 */
export function nearestOf(places: readonly Place[]): () => AsyncGenerator<Opened> {
  const isNear = ({ location }: Place): boolean => location.kind === 'folder';
  // One folder at a time: each that hangs holds one of the four threads that all files are read by.
  const waves = [...places.filter(isNear).map((place) => [place]), places.filter((place) => !isNear(place))];
  const ready: Opened[] = [];
  const opening = new Set<Promise<void>>();

  function openNextWave(): void {
    for (const place of waves.shift() ?? []) {
      const done: Promise<void> = place
        .open()
        .then((store) => void ready.push({ place, store }))
        // Why it did not open is known to the place.
        .catch(() => {})
        .finally(() => opening.delete(done));
      opening.add(done);
    }
  }

  return async function* () {
    const asked = new Set<Place>();
    for (;;) {
      const next = ready.find(({ place }) => !asked.has(place) && !place.trouble);
      if (next) {
        asked.add(next.place);
        yield next;
      } else if (opening.size > 0) {
        if (await isLate(Promise.race(opening), waves.length > 0)) openNextWave();
      } else if (waves.length > 0) {
        openNextWave();
      } else {
        return;
      }
    }
  };
}

/** Waits; to true if that takes too long while there is something else to try. */
async function isLate(work: Promise<void>, elseToTry: boolean): Promise<boolean> {
  if (!elseToTry) return work.then(() => false);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, HESITATE, true);
  });
  try {
    return await Promise.race([work.then(() => false), late]);
  } finally {
    clearTimeout(timer);
  }
}
