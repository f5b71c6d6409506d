import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { DepotError } from '../backends/errors.ts';
import { isCommitted, placeOfSetting, type Setting } from './config.ts';
import { git } from './git.ts';

/** A value that the user gave, and where: messages name that, so that it can be found and mended. */
export interface Given {
  /** A key of git's configuration, or an environment variable. */
  name: string;
  value: string;
  from: 'config' | 'environment';
  /** The file of the repository in which it stands, if it does. */
  file?: string | undefined;
}

/** Our keys that the documentation writes with capitals; git prints them without. */
const SPELLED = ['depot.retryPause', 'depot.retryTimeout', 'depot.cacheSize'];

export function givenIn(setting: Setting | undefined): Given | undefined {
  return (
    setting && {
      name: SPELLED.find((name) => name.toLowerCase() === setting.key) ?? setting.key,
      value: setting.value,
      from: 'config',
      ...(isCommitted(setting) && { file: placeOfSetting(setting) }),
    }
  );
}

/** Undefined when the variable is not set. */
export function givenBy(env: NodeJS.ProcessEnv, name: string): Given | undefined {
  const value = env[name];
  return value === undefined ? undefined : { name, value, from: 'environment' };
}

/**
 * The error for a value that cannot be used.
 * @param why must not repeat a value that may be a secret.
 */
export function refuse({ name, from, file }: Given, why: string, wanted: string): DepotError {
  const where = file === undefined ? '--show-origin' : `--file ${file}`;
  const look = from === 'config' ? `\nto see where it is set: git config ${where} --get-all ${name}` : '';
  return new DepotError('configuration', { what: `cannot use ${name}`, why, cure: `${wanted}${look}` });
}

/** As git reads a boolean. @throws DepotError `configuration`. */
export function readBoolean(given: Given): boolean {
  const word = given.value.toLowerCase();
  if (['true', 'yes', 'on'].includes(word)) return true;
  if (['false', 'no', 'off', ''].includes(word)) return false;
  if (/^[+-]?\d+$/.test(word)) return Number(word) !== 0;
  throw refuse(given, `'${given.value}' is neither true nor false`, `set ${given.name} to true or false`);
}

/** @throws DepotError `configuration` for what is no whole number, or not in the range. */
export function readInteger(given: Given, min: number, max: number): number {
  const number = Number(given.value);
  if (/^[+-]?\d+$/.test(given.value) && number >= min && number <= max) return number;
  const range = max === Number.MAX_SAFE_INTEGER ? 'a whole number' : `a whole number from ${min} to ${max}`;
  throw refuse(given, `'${given.value}' is not ${range}`, `set ${given.name} to ${range}`);
}

/**
 * An absolute file name. As git does, `~/` is resolved in a setting and not in a variable, where the shell does it.
 * @throws DepotError `configuration` for a `~name` that git does not know.
 */
export async function readPath({ name, value, from }: Given, env: NodeJS.ProcessEnv): Promise<string> {
  if (from === 'environment' || !/^(~|%\(prefix\)\/)/.test(value)) return resolve(value);
  if (/^~(\/|$)/.test(value)) return resolve(env.HOME || homedir(), value.slice(2));
  // Somebody else's home, or git's own folder: only git knows.
  const cwd = process.cwd();
  const printed = await git(['-c', `depot.path=${value}`, 'config', '--type=path', '--get', 'depot.path'], {
    cwd,
    env,
  });
  if (printed.trim() !== '') return resolve(printed.replace(/\r?\n$/, ''));
  throw refuse({ name, value, from }, `'${value}' names no file`, 'write an absolute path');
}
