import { dirname } from 'node:path';
import { noticeOnce } from './notice.ts';

/**
 * Says what is to be done about a download that git-lfs refused: it says so itself, in words that name neither the store nor a
 * cure. The next run has both (see transfer.ts).
 */
export function tellRefused({ oid, path }: { oid: string; path: string }): void {
  const why = `git-lfs refused ${oid.slice(0, 10)} as it came from the store`;
  noticeOnce(dirname(path), 'refused', `${why}: fetch again, and lfs-depot says what is wrong with it, and what to do`);
}
