import { join } from 'node:path';

/** Where the spools of a clone are (spool.ts): by itself, because each start of the agent looks whether there are any. */
export function spoolsFolder(commonDir: string): string {
  return join(commonDir, 'lfs-depot', 'spool');
}
