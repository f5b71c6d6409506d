import pMap from 'p-map';
import { DepotError } from '../../backends/errors.ts';
import type { Oid } from '../oid.ts';
import type { Place } from '../places/place.ts';
import { isSame } from '../places/places.ts';
import type { Pointer } from '../pointers.ts';
import type { Store } from '../store.ts';

/** `damaged`: of another size. `untold`: the place, or this object there, could not be asked about. */
export type Answer = 'there' | 'absent' | 'damaged' | 'untold';

/** What a place says of a number of objects. */
export interface Asked {
  place: Place;
  /** Tells its store from others, whatever they are called; undefined until it is open, and for a repository. */
  readonly id: string | undefined;
  /** Whether it did to the end; `partly`: it went away while it was asked. */
  readonly answers: boolean | 'partly';
  /** Why it could not be asked, or not about all. */
  trouble: DepotError | undefined;
  answer(oid: Oid): Answer;
}

/** Objects that are asked about at once. */
const PARALLEL = 16;

/** Asks a place about each object; one that cannot be asked is no failure but an answer. */
async function ask(place: Place, objects: Iterable<Pointer>, onAsked?: () => void): Promise<Asked> {
  const others = new Map<Oid, Answer>();
  let opened: Store | undefined;
  const asked: Asked = {
    place,
    get id() {
      return opened?.id;
    },
    get answers() {
      if (opened === undefined) return false;
      return place.trouble === undefined || 'partly';
    },
    trouble: undefined,
    answer: (oid) => (opened ? (others.get(oid) ?? 'there') : 'untold'),
  };
  const note = (error: unknown): void => {
    if (!(error instanceof DepotError)) throw error;
    place.blame(error);
    asked.trouble ??= error;
  };
  try {
    opened = await place.open();
  } catch (error) {
    note(error);
    return asked;
  }
  const store = opened;

  async function look({ oid, size }: Pointer): Promise<Answer> {
    // Each would wait as long as the one that found out.
    if (place.trouble) return 'untold';
    try {
      const found = await store.stat(oid);
      if (!found) return 'absent';
      return found.size === size ? 'there' : 'damaged';
    } catch (error) {
      note(error);
      return 'untold';
    }
  }
  const lookAndNote = async (object: Pointer): Promise<void> => {
    const answer = await look(object);
    if (answer !== 'there') others.set(object.oid, answer);
    onAsked?.();
  };
  await pMap(objects, lookAndNote, { concurrency: PARALLEL });
  return asked;
}

/**
 * Asks a place about all objects at hand, or those that are given. About all only once: another call for the same place has
 * the same answer.
 */
export type Asker = (place: Place, about?: Pointer[]) => Promise<Asked>;

export function askerOf(everything: Pointer[], tell: (doing: string, done: number, of: number) => void): Asker {
  const known: Asked[] = [];
  return async (place, about = everything) => {
    const same = known.find((one) => one.place.kind === place.kind && isSame(one.place.location, place.location));
    if (same) return same;
    let done = 0;
    const asked = await ask(place, about, () => tell(`asking ${place.name}`, ++done, about.length));
    if (about === everything) known.push(asked);
    return asked;
  };
}

/** A place that was not allowed, and so not asked. */
export function refusedToAsk(place: Place, trouble: DepotError): Asked {
  return { place, id: undefined, answers: false, trouble, answer: () => 'untold' };
}
