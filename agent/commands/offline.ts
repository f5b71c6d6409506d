import { DepotError, printable } from '../../backends/errors.ts';
import { placeOfSetting, readConfig } from '../config.ts';
import { editConfig } from '../config-edit.ts';
import { type Repository, repositoryAround } from '../git.ts';
import { amountOf, momentText } from '../spool/amount.ts';
import { backlogOf } from '../spool/backlog.ts';
import { OFFLINE, type OfflineMode, offlineMode } from '../spool/offline.ts';
import { spoolsIn } from '../spool/spool.ts';

/** As git config has it. */
const VALUES: Record<OfflineMode, string> = { on: 'true', off: 'false', auto: 'auto' };

const MEANINGS: Record<OfflineMode, string> = {
  on: 'pushes keep large files on this computer, and do not ask for the store.',
  off: 'pushes bring large files to the store, and fail without it.',
  auto: 'pushes bring large files to the store, and keep them on this computer while it is out of reach.',
};

/** Before the objects, because git pushes its commits as soon as git-lfs says that it is done. */
const WARNING =
  "git's own push goes out before those files do: clones of colleagues lack them until you run `lfs-depot sync`.";

/** Sets where pushes put objects, or shows it, and tells what waits on this computer. Needs no store. */
export async function offline(mode: OfflineMode | undefined, global: boolean, print: (line: string) => void) {
  const cwd = process.cwd();
  const repository = await repositoryAround(cwd);
  if (mode === undefined) {
    await show(repository, print);
  } else {
    if (!repository && !global) throw nowhere(cwd, mode);
    await editConfig([global ? '--global' : '--local', OFFLINE, VALUES[mode]], cwd);
    await tell(mode, global, repository, print);
  }
  if (repository) await showWaiting(repository, print);
}

async function show(repository: Repository | undefined, print: (line: string) => void): Promise<void> {
  const config = await readConfig(process.cwd(), repository);
  const mode = offlineMode(config);
  const setting = config.get(OFFLINE);
  print(`Offline mode: ${mode} (${setting ? placeOfSetting(setting) : 'the default'})`);
  print(`  ${MEANINGS[mode]}`);
}

async function tell(
  mode: OfflineMode,
  global: boolean,
  repository: Repository | undefined,
  print: (line: string) => void,
) {
  const where = global ? 'in all your clones' : 'in this clone';
  print(`Offline mode ${where}: ${mode}`);
  print(`  From now on, ${MEANINGS[mode]}`);
  if (mode !== 'off') print(`  ${WARNING}`);
  const setting = (await readConfig(process.cwd(), repository)).get(OFFLINE);
  if (setting && setting.value !== VALUES[mode]) {
    print(`warning: here it stays at '${printable(setting.value)}', as ${placeOfSetting(setting)} says`);
  }
}

/** What waits, for each place: that the mode is off delivers nothing. */
async function showWaiting({ commonDir }: Repository, print: (line: string) => void): Promise<void> {
  let any = false;
  for (const spool of await spoolsIn(commonDir)) {
    const { objects, bytes, since } = await backlogOf(spool);
    if (objects === 0) continue;
    any = true;
    const waiting = `Waiting on this computer for ${printable(spool.location)}`;
    print(`${waiting}: ${amountOf(objects, bytes)}, the oldest since ${momentText(since)}.`);
  }
  print(any ? 'To deliver what waits: lfs-depot sync' : 'Nothing waits on this computer.');
}

function nowhere(cwd: string, mode: OfflineMode): DepotError {
  return new DepotError('configuration', {
    what: `cannot set the offline mode at ${cwd}`,
    why: 'not a git repository (or any of the parent directories)',
    cure: `change into a clone, or set it for all your clones: lfs-depot offline ${mode} --global`,
  });
}
