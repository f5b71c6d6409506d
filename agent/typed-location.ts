import { resolve } from 'node:path';
import { type Location, parseLocation } from '../backends/location.ts';
import { surroundings } from './open-store.ts';

/** A location as typed on a command line, where a relative path is meant from the current folder. */
export function resolveTyped(text: string): Location {
  const relative = text !== '' && !/^(~|[\\/]|[a-z][a-z0-9+.-]*:)/i.test(text);
  return parseLocation(relative ? resolve(text) : text, surroundings());
}
