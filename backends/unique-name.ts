let ours: string | undefined;
let made = 0;

/**
 * Part of a file name that nobody else uses on any machine: 24 hexadecimal digits. Random once in a process, from V8's own
 * generator, which Node seeds from the system's entropy: to load `node:crypto` takes 7 ms (measured), and a fetch needs
 * nothing else of it. Counted from there.
 */
export function uniqueName(): string {
  ours ??= hex32() + hex32();
  return ours + hexOf(made++);
}

function hex32(): string {
  return hexOf(Math.floor(Math.random() * 2 ** 32));
}

function hexOf(number: number): string {
  return number.toString(16).padStart(8, '0');
}
