import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Unmounts a disk that git-lfs has worked on. A git-lfs that failed does not wait for its agents, which are gone within a
 * second; so it waits for them, and a bit longer on a busy machine.
 * @throws what umount said when the disk is still in use after 5 s.
 */
export async function unmount(disk: string): Promise<void> {
  for (let last = Date.now() + 5000; ; await sleep(20)) {
    try {
      execFileSync('umount', [disk], { stdio: 'pipe' });
      return;
    } catch (error) {
      if (Date.now() > last) throw error;
    }
  }
}
