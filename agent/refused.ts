import { dirname } from 'node:path';
import { noticeOnce } from './notice.ts';

/** A download that was left to git-lfs to hash. */
export interface Unhashed {
  oid: string;
  path: string;
  /** Where it came from. */
  location: string;
}

/** Says what is to be done about one that git-lfs did not take: its own words name neither the store nor a cure. */
export function tellRefused({ oid, path, location }: Unhashed): void {
  const what = `git-lfs did not take ${oid.slice(0, 10)} from ${location}`;
  noticeOnce(
    dirname(path),
    'refused-download',
    `${what}: if it is damaged ("invalid hash"), run the command again, which then says who can heal it`,
  );
}
