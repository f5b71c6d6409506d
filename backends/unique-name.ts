import { randomBytes } from 'node:crypto';

let ours: string | undefined;
let made = 0;

/**
 * Part of a file name that nobody else uses on any machine: 24 hexadecimal digits. Random once in a process, and counted from
 * there, since to ask for random bytes takes 25 µs (measured), a fifth of what a small object does.
 */
export function uniqueName(): string {
  ours ??= randomBytes(8).toString('hex');
  return ours + (made++).toString(16).padStart(8, '0');
}
