const UNITS = ['bytes', 'KB', 'MB', 'GB', 'TB'];

/** "1 object (3.4 GB)", for messages. */
export function amountOf(objects: number, bytes: number): string {
  return `${objects} object${objects === 1 ? '' : 's'} (${sizeText(bytes)})`;
}

/** Bytes for people, in powers of 1000, as git-lfs and file managers count. */
export function sizeText(bytes: number): string {
  let size = bytes;
  let unit = 0;
  // What would be printed as 1000 is one of the next unit.
  while (size >= (unit === 0 ? 1000 : 999.5) && unit < UNITS.length - 1) {
    size /= 1000;
    unit++;
  }
  return `${unit === 0 || size >= 9.95 ? Math.round(size) : size.toFixed(1)} ${UNITS[unit]}`;
}

/** A moment for people, in their time zone, the same in every language. */
export function momentText(moment: Date): string {
  // The Swedish way to write it is that of ISO 8601, without the T.
  return moment.toLocaleString('sv', { dateStyle: 'short', timeStyle: 'short' });
}
