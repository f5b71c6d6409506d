import pMap from 'p-map';
import { DepotError } from '../../backends/errors.ts';
import type { Oid } from '../oid.ts';
import type { Place } from '../places/place.ts';
import type { Pointer } from '../pointers.ts';
import type { Store } from '../store.ts';

/** `damaged`: of another size. `untold`: the place, or this object there, could not be asked about. */
export type Answer = 'there' | 'absent' | 'damaged' | 'untold';

/** What a place says of a number of objects. */
export interface Asked {
  place: Place;
  /** Whether it did to the end. */
  readonly answers: boolean;
  /** Why it could not be asked, or not about all. */
  trouble: DepotError | undefined;
  answer(oid: Oid): Answer;
}

/** Objects that are asked about at once. */
const PARALLEL = 16;

/** Asks a place about each object; one that cannot be asked is no failure but an answer. */
export async function ask(place: Place, objects: Iterable<Pointer>, onAsked?: () => void): Promise<Asked> {
  const others = new Map<Oid, Answer>();
  let opened: Store | undefined;
  const asked: Asked = {
    place,
    get answers() {
      return opened !== undefined && place.trouble === undefined;
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

/** A place that was not allowed, and so not asked. */
export function refusedToAsk(place: Place, trouble: DepotError): Asked {
  return { place, answers: false, trouble, answer: () => 'untold' };
}
