import { realpathSync } from 'node:fs';
import { type Location, parseLocation, type Surroundings } from '../backends/location.ts';

/**
 * The share behind a location on a mapped network drive: a drive letter means nothing, or something else, on a colleague's
 * computer. Undefined for what is no such drive.
 * @param realPath follows a drive to where it leads, as Windows' GetFinalPathNameByHandle does; throws where it cannot.
 */
export function shareBehind(
  location: Location,
  around: Surroundings,
  realPath: (path: string) => string = realpathSync.native,
): Location | undefined {
  if (around.platform !== 'win32' || location.kind !== 'folder') return undefined;
  const [drive, ...below] = location.path.split('/');
  let root: Location;
  try {
    root = parseLocation(realPath(`${drive}\\`), around);
  } catch {
    return undefined;
  }
  if (root.kind !== 'share') return undefined;
  return { ...root, path: [root.path, ...below].filter((part) => part !== '').join('/') };
}
