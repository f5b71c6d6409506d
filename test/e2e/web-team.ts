import { existsSync, readFileSync } from 'node:fs';
import type { Sandbox } from '../sandbox.ts';
import { PASSWORD, USER } from '../servers/server.ts';

const KEPT = 'home/.git-credentials';

/**
 * Lets git's credential helper `store` know a user name and password for the server of a URL, as after a login.
 * @param helper another one that git is to ask, which has its own.
 */
export async function knowPassword(
  box: Sandbox,
  url: string,
  username = USER,
  password = PASSWORD,
  helper = 'store',
): Promise<void> {
  await box.git('.', 'config', '--global', 'credential.helper', helper);
  const { protocol, host } = new URL(url);
  box.write(KEPT, `${protocol}//${username}:${password}@${host.replace(':', '%3a')}\n`);
}

/** What that helper keeps, as it writes it. */
export function knownPasswords(box: Sandbox): string {
  return existsSync(box.path(KEPT)) ? readFileSync(box.path(KEPT), 'utf8') : '';
}

/** As Sandbox.team, for a store at a URL whose server knows the user `USER`. */
export async function webTeam(box: Sandbox, url: string): Promise<string> {
  await knowPassword(box, url);
  return box.team(url);
}

/** Faults are not waited for as long as for real ones: requests are repeated once, and at once. */
export async function hurry(box: Sandbox): Promise<void> {
  await box.git('.', 'config', '--global', 'depot.retries', '1');
  await box.git('.', 'config', '--global', 'depot.retryPause', '10');
}
