/** One of the two ends of a copy is the store, the other the user's own disk: who failed decides what is said. */
export type Side = 'source' | 'target';

const SIDE = Symbol('side');

/** On which side of a copy an error happened; undefined for other errors. */
export function sideOf(error: unknown): Side | undefined {
  return (error as { [SIDE]?: Side } | null)?.[SIDE];
}

/** Runs one step of a copy, and marks what it throws. */
export function onSide<T>(side: Side, step: () => T): T {
  try {
    return step();
  } catch (error) {
    throw marked(side, error);
  }
}

export function marked(side: Side, error: unknown): unknown {
  return error instanceof Error ? Object.assign(error, { [SIDE]: side }) : error;
}
