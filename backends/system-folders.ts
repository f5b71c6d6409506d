/** What filesystems keep at the top of a disk, and let nobody read: a store may stand there all the same. */
export const SYSTEM_FOLDERS: ReadonlySet<string> = new Set([
  'lost+found',
  'System Volume Information',
  '$RECYCLE.BIN',
  '.Trashes',
  '.snapshot',
]);
