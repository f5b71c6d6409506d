import { realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { isSea } from 'node:sea';

/** How this very program was started, and where it is. */
export interface Running {
  platform: NodeJS.Platform;
  /** The executable, without symbolic links. */
  executable: string;
  /** The script that it runs; undefined when the program is one executable. */
  script: string | undefined;
  /** The folders of PATH. */
  path: readonly string[];
  temp: string;
}

export function running(): Running {
  return {
    platform: process.platform,
    executable: process.execPath,
    script: isSea() ? undefined : (process.argv[1] ?? ''),
    path: (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== ''),
    temp: tmpdir(),
  };
}

/**
 * The words that start this very program, absolute and with forward slashes: git GUIs have a poor PATH, and `sh` eats
 * backslashes. Homebrew and winget keep each version in a folder of its own, and a link to the newest one on the PATH: then
 * the link is named, which outlives an update.
 */
export function programWords({ platform, executable, script, path }: Running = running()): string[] {
  const words = script === undefined ? [linkOnPath(executable, platform, path) ?? executable] : [executable, script];
  return words.map((word) => (platform === 'win32' ? word.replaceAll('\\', '/') : word));
}

function linkOnPath(executable: string, platform: NodeJS.Platform, path: readonly string[]): string | undefined {
  const name = platform === 'win32' ? 'lfs-depot.exe' : 'lfs-depot';
  return path
    .filter((folder) => /^([\\/]|[a-z]:)/i.test(folder))
    .map((folder) => join(folder, name))
    .find((link) => link !== executable && leadsTo(link) === executable);
}

function leadsTo(link: string): string | undefined {
  try {
    return realpathSync(link);
  } catch {
    return undefined;
  }
}

/** Whether `lfs-depot`, typed in a terminal, starts this program; of a script that cannot be told, so it is believed. */
export function isOnPath({ platform, executable, script, path }: Running = running()): boolean {
  if (script !== undefined || linkOnPath(executable, platform, path) !== undefined) return true;
  const spelled = (text: string) => (platform === 'win32' ? folded(text) : text).replace(/\/$/, '');
  const folder = spelled(executable).replace(/\/[^/]*$/, '');
  return path.some((entry) => spelled(entry) === folder);
}

/** Why the program will not stay where it is; undefined when nothing speaks against the place. */
export function fleetingPlace({ platform, executable, script, temp }: Running = running()): string | undefined {
  const place = folded(script ?? executable);
  const segments = place.split('/').slice(0, -1);
  if (segments.includes('downloads')) return 'it is in your Downloads folder, which people empty';
  // What macOS starts a downloaded program from, until somebody moves it.
  if (platform === 'darwin' && segments.includes('apptranslocation')) return 'macOS runs it from a temporary place';
  const temporary = [folded(temp), ...(platform === 'win32' ? [] : ['/tmp', '/var/tmp', '/private/tmp'])];
  // %TEMP% may be a short form of that name (JANEDO~1), and Explorer starts what is in an archive by the long one.
  const isTemporary =
    (platform === 'win32' && place.includes('/appdata/local/temp/')) ||
    temporary.some((folder) => place.startsWith(`${folder.replace(/\/$/, '')}/`));
  return isTemporary ? 'it is in a folder for temporary files' : undefined;
}

function folded(path: string): string {
  return path.replaceAll('\\', '/').toLowerCase();
}
