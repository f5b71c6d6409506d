/** Milliseconds between two progress messages of one object: ten a second are plenty for a progress meter. */
const PAUSE = 100;

/**
 * Thins out progress: the first bytes are told at once, because git-lfs holds back its other workers until then; the
 * last message equals the size, because git-lfs's meter is wrong otherwise; never backwards, never after `close`.
 */
export function progressMeter(size: number, tell: (bytesSoFar: number, bytesSinceLast: number) => void) {
  let told = 0;
  let toldAt = 0;
  let closed = false;
  return {
    report(bytes: number): void {
      if (closed || !Number.isSafeInteger(bytes) || bytes <= told || bytes >= size) return;
      const now = performance.now();
      if (told > 0 && now - toldAt < PAUSE) return;
      tell(bytes, bytes - told);
      told = bytes;
      toldAt = now;
    },
    finish(): void {
      if (told < size) tell(size, size - told);
    },
    close(): void {
      closed = true;
    },
  };
}
