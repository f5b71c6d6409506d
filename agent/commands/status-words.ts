import { shellWord } from '../../backends/shell-word.ts';
import type { Missing } from '../status/status.ts';

/** How the report calls where an object can be had from, after a number. */
export const WORDS: Record<Missing['where'], string> = {
  spool: 'waiting on this computer',
  store: 'in the store, but in too few mirrors',
  private: "only in this clone's own store, which others do not know",
  mirror: 'only in a mirror',
  clone: 'only in this clone',
  damaged: 'damaged wherever they can be seen from here',
  nowhere: 'nowhere that can be seen from here',
};

/** "1 file", "2 files". */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** What to do, beginning with a colon. @param oid written into the command where it is of one object. */
export function cureOf(where: Missing['where'], remote: string, oid = '<oid>'): string {
  if (where === 'private')
    return ': name that store in the .lfsconfig that is committed, or use the one that is named there';
  if (where === 'spool' || where === 'store' || where === 'mirror') return ': lfs-depot sync';
  const push = `git lfs push --object-id ${shellWord(remote)} ${oid}`;
  return where === 'clone' ? `: ${push}` : `: whoever has the file runs ${push}`;
}

/** Git fetches the pointer files of a partial clone, which all are smaller. */
export function partialCure(remote: string): string {
  return `git fetch --refetch --filter=blob:limit=1k ${shellWord(remote)}`;
}
