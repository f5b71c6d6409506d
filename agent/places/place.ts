import { DepotError } from '../../backends/errors.ts';
import { formatLocation, type Location } from '../../backends/location.ts';
import type { Config } from '../config.ts';
import type { Endpoint } from '../endpoint.ts';
import { OF_THE_PLACE } from '../of-the-place.ts';
import { openEndpoint, type Patience } from '../open-store.ts';
import type { Store } from '../store.ts';

/** One of the locations that keep a repository's objects. Nothing of it is touched before `open`. */
export interface Place {
  readonly role: 'primary' | 'mirror';
  readonly kind: Endpoint['kind'];
  readonly location: Location;
  /** The location as people know it. */
  readonly name: string;
  /** Opens its store, once in a process: the second call resolves, or rejects, as the first did. */
  open(): Promise<Store>;
  /** Why it is left alone for the rest of the process. */
  readonly trouble: DepotError | undefined;
  /** Leaves it alone from now on, if the error says more of the place than of one object. */
  blame(error: unknown): void;
}

/**
 * Where there is another place to ask: nobody should wait a minute in each push for a mirror that hangs, nor in a clone for a
 * store that is down. Three repetitions take about 3 to 7 s.
 */
export const HASTY: Patience = { timeout: 15_000, retries: 3 };

export function placeAt(
  { role, kind, location }: Pick<Place, 'role' | 'kind' | 'location'>,
  config: Config,
  patience?: Patience,
): Place {
  let opening: Promise<Store> | undefined;
  let trouble: DepotError | undefined;
  const blame = (error: unknown): void => {
    if (error instanceof DepotError && OF_THE_PLACE.has(error.kind)) trouble ??= error;
  };
  return {
    role,
    kind,
    location,
    name: formatLocation(location),
    get trouble() {
      return trouble;
    },
    blame,
    open: () => {
      opening ??= openEndpoint(kind, location, config, patience).then(
        ({ store }) => store,
        (error) => {
          // Whatever it was, the place cannot be asked: nothing may be called absent there.
          trouble ??= error instanceof DepotError ? error : unforeseen(location, error);
          throw error;
        },
      );
      return opening;
    },
  };
}

function unforeseen(location: Location, error: unknown): DepotError {
  const what = `cannot open ${formatLocation(location)}`;
  const cure = 'run: lfs-depot doctor';
  return new DepotError('internal', { what, why: String(error), cure, cause: error });
}
