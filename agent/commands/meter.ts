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
  let next = Date.now() + PATIENCE;
  let shown = 0;
  const write = (text: string): void => {
    stream.write(`\r${text.padEnd(shown)}${text === '' ? '\r' : ''}`);
    shown = text.length;
  };
  return {
    tell(doing, done, of) {
      const now = Date.now();
      if (quiet || !stream.isTTY || now < next) return;
      next = now + INTERVAL;
      write(`${doing}: ${done}${of === undefined ? '' : ` of ${of}`}`.slice(0, (stream.columns || 80) - 1));
    },
    clear() {
      if (shown > 0) write('');
    },
  };
}
