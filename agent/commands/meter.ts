/** One line on a terminal that says what takes so long. */
export interface Meter {
  tell(doing: string, done: number, of?: number): void;
  /** Before anything else is printed. */
  clear(): void;
}

/** Milliseconds: what is done sooner needs no meter; and how often it changes. */
const PATIENCE = 1000;
const INTERVAL = 100;

/** @param quiet for programs: nothing is shown. */
export function meterOn(stream: NodeJS.WriteStream, quiet: boolean): Meter {
  const line = lineOn(stream, quiet);
  return {
    tell: (doing, done, of) => line.show(() => `${doing}: ${done}${of === undefined ? '' : ` of ${of}`}`),
    clear: line.clear,
  };
}

/** Counts objects and their bytes. @param text what to show of them. */
export function meter(text: (count: number, bytes: number) => string) {
  const line = lineOn(process.stderr, false);
  let count = 0;
  let bytes = 0;
  return {
    add(size: number): void {
      count++;
      bytes += size;
      line.show(() => text(count, bytes));
    },
    clear: line.clear,
  };
}

function lineOn(stream: NodeJS.WriteStream, quiet: boolean) {
  let next = Date.now() + PATIENCE;
  let shown = 0;
  const write = (text: string): void => {
    stream.write(`\r${text.padEnd(shown)}${text === '' ? '\r' : ''}`);
    shown = text.length;
  };
  return {
    show(text: () => string): void {
      const now = Date.now();
      if (quiet || !stream.isTTY || now < next) return;
      next = now + INTERVAL;
      write(text().slice(0, (stream.columns || 80) - 1));
    },
    clear(): void {
      if (shown > 0) write('');
    },
  };
}
