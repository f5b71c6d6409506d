import type { Config } from './config.ts';
import { givenIn, refuse } from './given.ts';

/**
 * `depot.verify`: how a push judges an object that is there already. Reading back what is far away is not the default.
 * @throws DepotError `configuration` for any other value.
 */
export function verifyPolicy(config: Config, reads: 'local' | 'remote'): 'size' | 'content' {
  const given = givenIn(config.get('depot.verify'));
  if (!given) return reads === 'local' ? 'content' : 'size';
  const value = given.value.toLowerCase();
  if (value === 'size' || value === 'content') return value;
  throw refuse(given, `'${given.value}' is neither content nor size`, 'set depot.verify to content or size');
}
