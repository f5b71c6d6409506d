import { execFileSync } from 'node:child_process';
import { chownSync } from 'node:fs';

/** The user that a server gives up its root rights for. */
export interface Owner {
  user: string;
  group: string;
  adopt(path: string): void;
}

/** Debian's user for web servers where this process is root, else the one it runs as, who needs to adopt nothing. */
export function webOwner(): Owner {
  const id = (...args: string[]): string => execFileSync('id', args, { encoding: 'utf8' }).trim();
  const [us, ours] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  if (us !== 0) return { user: `#${us}`, group: `#${ours}`, adopt: () => {} };
  const user = 'www-data';
  const [uid, gid] = [Number(id('-u', user)), Number(id('-g', user))];
  return { user, group: id('-gn', user), adopt: (path) => chownSync(path, uid, gid) };
}
