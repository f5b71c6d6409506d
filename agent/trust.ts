import { DepotError } from '../backends/errors.ts';
import { covers, formatLocation, type Location, parseLocation, type Surroundings } from '../backends/location.ts';
import { shellWord } from '../backends/shell-word.ts';
import type { Config, Setting } from './config.ts';

/**
 * Which locations the user allows. A clone is somebody else's text, and merely opening `\\host` on Windows sends the
 * user's credentials to it: so a location from a clone is used only if the user's own git config allows it.
 */
export const TRUSTED = 'depot.trusted';

/** Scopes that no clone can write. */
export const OWN_SCOPES: readonly Setting['scope'][] = ['system', 'global', 'command'];

export function trustedSettings(config: Config): Setting[] {
  return config.all(TRUSTED).filter(({ scope }) => OWN_SCOPES.includes(scope));
}

/** Whether an entry of `depot.trusted` is the location or lies above it. Entries that cannot be read allow nothing. */
export function isTrusted(location: Location, config: Config, around: Surroundings): boolean {
  return trustedSettings(config).some(({ value }) => {
    try {
      return covers(parseLocation(value, around), location, around.platform);
    } catch {
      return false;
    }
  });
}

/** @throws DepotError `untrusted`, with the command that allows it. */
export function assertTrusted(location: Location, source: string, config: Config, around: Surroundings): void {
  if (isTrusted(location, config, around)) return;
  const name = formatLocation(location);
  throw new DepotError('untrusted', {
    what: `will not open ${name}`,
    why: `${source} names it, and you have not allowed that location yet`,
    cure: `if you know it to be your team's storage, run${trustCommand(name, around.platform)}\n${AFTER_TRUST}`,
  });
}

/** For who pushes, or clones; whoever has run one of our own commands knows what to do again. */
const AFTER_TRUST = 'then try again; in a clone that stopped half-way: git checkout -f HEAD';

/** What to do about an error that is only told of, by a command that goes on. */
export function cureByTheWay({ cure }: DepotError): string {
  return cure.replace(`\n${AFTER_TRUST}`, '');
}

/**
 * The command that allows a location. cmd, PowerShell and Git Bash quote differently, so a name that is special to any of
 * them is not written out on Windows: somebody else chose it, and pasted it might run something.
 */
function trustCommand(name: string, platform: NodeJS.Platform): string {
  if (platform === 'win32' && /[^\w@+=:,./ ~()-]/.test(name)) return ' in the clone: lfs-depot trust';
  return `: lfs-depot trust ${shellWord(name, platform)}`;
}
