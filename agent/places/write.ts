import { DepotError, isKind } from '../../backends/errors.ts';
import { rising } from '../../backends/rising.ts';
import type { Kept, Objects } from '../store.ts';
import type { Place } from './place.ts';
import type { Places } from './places.ts';
import { type Failure, inAll, reasonOf, together } from './read.ts';

/**
 * Writes to the primary or, by rule, to all places at once. Resolves only when the primary, or as many places as the
 * quorum says, have the object; what a mirror lacks then, `sync` brings.
 * @param tell of a place that goes without; the name is that of the matter.
 * @returns what throws DepotError `configuration` for a quorum that there are not enough places for: not earlier, since who
 * only reads needs none.
 */
export function writerOf(all: Places, tell: Tell): Objects['put'] {
  const { primary, mirrors, refused } = all;
  const missed = new Set<Place>();
  let told = false;

  return async (oid, size, localFile, options = {}) => {
    const { rule } = all;
    const places = rule.to === 'all' ? [primary, ...mirrors] : [primary];
    const tooMany = beyond(rule.quorum, 1 + mirrors.length, refused.length, told);
    if (tooMany) {
      told = true;
      throw tooMany;
    }
    const what = `cannot store ${oid}`;
    const meter = slowest(places, rising(options.onProgress));
    const failures: (Failure & { place: Place })[] = [];
    let kept: Kept | undefined;
    /** One store by two names is one copy. */
    const copies = new Set<string>();

    async function putInto(place: Place): Promise<void> {
      try {
        if (place.trouble) throw place.trouble;
        const store = await place.open();
        const outcome = await store.put(oid, size, localFile, { ...options, onProgress: meter.of(place) });
        meter.of(place)(size);
        copies.add(store.id ?? place.name);
        if (place === primary || kept === undefined) kept = outcome;
      } catch (error) {
        if (!(error instanceof DepotError)) throw error;
        place.blame(error);
        meter.without(place);
        failures.push({ place, error });
      }
    }
    await Promise.all(places.map(putInto));

    const cancelled = failures.find(({ error }) => isKind(error, 'cancelled'));
    if (cancelled) throw cancelled.error;
    const isPrimaryIn = !failures.some(({ place }) => place === primary);
    const enough = rule.quorum === undefined ? isPrimaryIn : copies.size >= rule.quorum;
    if (!enough || kept === undefined) {
      const ofPrimary = failures.filter(({ place }) => place === primary);
      const error =
        rule.quorum === undefined
          ? inAll(what, ofPrimary, told)
          : together(
              `${what} in ${rule.quorum} places, as depot.quorum says`,
              asFailures(failures, copies, places),
              told,
            );
      told = places.every(({ trouble }) => trouble);
      throw error;
    }
    for (const { place, error } of failures) {
      if (missed.has(place)) continue;
      missed.add(place);
      const which = places.indexOf(place);
      const why = `${place.name} does not get what is pushed now (${reasonOf(error)})`;
      tell(`missed-${which}`, `${why}: run \`lfs-depot sync\` later`);
    }
    return kept;
  };
}

/** Where nothing failed there are too few: some are one store by two names. */
function asFailures(failures: Failure[], copies: Set<string>, [place]: Place[]): Failure[] {
  if (failures.length > 0 || !place) return failures;
  const error = new DepotError('configuration', {
    what: 'cannot count the copies',
    why: `some of the places are one store by two names: ${copies.size === 1 ? 'there is 1 copy' : `there are ${copies.size} copies`} in all`,
    cure: 'see which: lfs-depot doctor; then remove one: lfs-depot mirror remove <location>',
  });
  return [{ place, error }];
}

export type Tell = (name: string, text: string) => void;

/** @param brief without what to do: it was told before. */
function beyond(quorum = 0, places: number, refused: number, brief: boolean): DepotError | undefined {
  if (quorum <= places) return undefined;
  const others = refused === 0 ? '' : `, and ${refused} more that cannot be used`;
  return new DepotError('configuration', {
    what: 'cannot push to as many places as depot.quorum says',
    why: `it says ${quorum}, and there are ${places}${others}: see lfs-depot mirror list`,
    cure: brief ? '' : 'add a mirror: lfs-depot mirror add <location>; or lower depot.quorum',
  });
}

/** Progress of one object to several places is that of the slowest that is still in the race. */
function slowest(places: readonly Place[], tell: (bytes: number) => void) {
  const bytes = new Map<Place, number>(places.map((place) => [place, 0]));
  const show = (): void => {
    if (bytes.size > 0) tell(Math.min(...bytes.values()));
  };
  return {
    of: (place: Place) => (moved: number) => {
      bytes.set(place, moved);
      show();
    },
    without(place: Place): void {
      bytes.delete(place);
      show();
    },
  };
}
