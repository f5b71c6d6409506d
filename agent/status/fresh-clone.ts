import { DepotError } from '../../backends/errors.ts';
import type { Oid } from '../oid.ts';
import { isSame } from '../places/places.ts';
import { type Pointer, type Pointers, pathsIn } from '../pointers.ts';
import { type Answer, type Asked, type Asker, refusedToAsk } from './asked.ts';
import type { Found } from './found.ts';
import { idsOf } from './git-ids.ts';
import type { Revisions } from './revisions.ts';
import { type Source, sourcesOf } from './sources.ts';

/** Where a fresh clone looks, and what is there. */
export interface Known {
  source: Source;
  /** Undefined where what is committed names no store. */
  store: Asked | undefined;
  /** Whether that is the one that this clone uses, too. */
  isOwn: boolean;
  ofStore(oid: Oid): Answer;
  /** Of the store and its mirrors. */
  ofAny(oid: Oid): Answer;
}

/** What a clone of the tips would lack. */
export interface Clone {
  misses: Pointer[];
  /** No place that answers has it; some place does not answer. */
  untold: Pointer[];
  /** Tips whose files are not all known here. */
  unread: number;
}

/** @param withMirrors whether it matters what they have. */
export async function askSources(
  found: Found,
  revisions: Revisions,
  ask: Asker,
  withMirrors: boolean,
): Promise<Known[]> {
  const known: Known[] = [];
  for (const source of await sourcesOf(found, revisions)) {
    const { store: place, trouble } = source;
    const store = place && (trouble ? refusedToAsk(place, trouble) : await ask(place));
    const ofStore = store ? store.answer : (): Answer => 'untold';
    const answers = [ofStore];
    if (withMirrors) for (const mirror of source.mirrors) answers.push((await ask(mirror)).answer);
    if (source.hasOthers) answers.push(() => 'untold');
    known.push({
      source,
      store,
      isOwn: place !== undefined && isSame(place.location, found.primary.location),
      ofStore,
      ofAny: (oid) => anyOf(answers.map((answer) => answer(oid))),
    });
  }
  return known;
}

/** One place is enough. */
function anyOf(answers: Answer[]): Answer {
  const order: Answer[] = ['there', 'untold', 'damaged', 'absent'];
  return order.find((answer) => answers.includes(answer)) ?? 'untold';
}

/** A clone of any of the commits must have it. */
export function together(answers: Answer[]): Answer {
  const order: Answer[] = ['absent', 'damaged', 'untold'];
  return order.find((answer) => answers.includes(answer)) ?? 'there';
}

export async function cloneOf(
  cwd: string,
  { tips }: Revisions,
  { blobs }: Pointers,
  known: readonly Known[],
): Promise<Clone> {
  const misses = new Map<string, Pointer>();
  const untold = new Map<string, Pointer>();
  let unread = 0;
  // Many branches may have the same files.
  const names = tips.map((tip) => `${tip}^{tree}`);
  const trees = new Set(await idsOf(cwd, names));
  for (const tree of trees) {
    if (tree === undefined) {
      unread++;
      continue;
    }
    try {
      for await (const pointer of pathsIn(cwd, tree, blobs)) {
        const answer = together(known.map(({ ofAny }) => ofAny(pointer.oid)));
        if (answer === 'there') continue;
        (answer === 'untold' ? untold : misses).set(`${pointer.oid} ${pointer.path}`, pointer);
      }
    } catch (error) {
      if (!(error instanceof DepotError)) throw error;
      unread++;
    }
  }
  return { misses: [...misses.values()], untold: [...untold.values()], unread };
}
