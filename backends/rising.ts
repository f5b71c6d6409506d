/** One meter for several tries, or several places: what was told once is not taken back. */
export function rising(onProgress: ((bytes: number) => void) | undefined): (bytes: number) => void {
  // Of an empty file, 0 is told.
  let most = -1;
  return (bytes) => {
    if (bytes <= most) return;
    most = bytes;
    onProgress?.(bytes);
  };
}
