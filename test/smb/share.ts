import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Deed, FileThere } from '../../scripts/smb/control.ts';

/** True in the guest that scripts/test-smb starts: only there is a server, and a kernel that can mount its shares. */
export const HAS_SHARES = process.env.DEPOT_SMB_CONTROL !== undefined;

/** The server's name as the guest knows it. */
export const SERVER = process.env.DEPOT_SMB_HOST ?? '';

/**
 * Mounts a share of the server, as people do, and gives where it is.
 * @param share its name, or with a folder in it: `lfs/art`.
 * @param options more of mount.cifs's, beside user and password.
 */
export function mountShare(share: string, options: string[] = [], at = join('/mnt', 'share')): string {
  mkdirSync(at, { recursive: true });
  const all = [process.env.CREDENTIALS, 'iocharset=utf8', ...options].join();
  for (let tries = 1; ; tries++) {
    try {
      execFileSync('mount', ['-t', 'cifs', `//${SERVER}/${share}`, at, '-o', all], { stdio: 'pipe' });
      return at;
    } catch (error) {
      // A server that was started just now may listen and hang up on who comes.
      if (tries === 5) throw error;
      execFileSync('sleep', ['1']);
    }
  }
}

/** Fine when something there is still open: the name is free, and the rest goes when it is closed. */
export function unmountShare(at: string): void {
  execFileSync('umount', ['-l', at]);
}

/** Has the host do something to the server; see `Deed`. */
export async function onHost(deed: Deed): Promise<unknown> {
  const answer = await fetch(process.env.DEPOT_SMB_CONTROL ?? '', { method: 'POST', body: JSON.stringify(deed) });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

/** The files in a folder of the shares, as they lie on the server's disk: what no client's cache can hide. */
export async function filesOnServer(folder: string): Promise<FileThere[]> {
  return (await onHost({ deed: 'files', folder })) as FileThere[];
}
