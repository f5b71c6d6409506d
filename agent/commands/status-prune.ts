import { printable } from '../../backends/errors.ts';
import { type Lost, type PruneStatus, pruneStatus } from '../status/prune.ts';
import type { Meter } from './meter.ts';
import { hint, lineOf, showList } from './status.ts';
import { troubleJson } from './status-json.ts';
import { counted } from './status-words.ts';

/** Says whether `git lfs prune` would delete a last copy. Returns whether it would not. */
export async function statusForPrune(json: boolean, meter: Meter, print: (line: string) => void): Promise<boolean> {
  const status = await pruneStatus(meter.tell).finally(meter.clear);
  const safe = status.lost.length === 0;
  if (json) print(JSON.stringify({ ok: safe, ...status, trouble: troubleJson(status.trouble) }, null, 2));
  else if (safe) showSafe(status, print);
  else showLost(status, print);
  return safe;
}

function showSafe({ objects }: PruneStatus, print: (line: string) => void): void {
  if (objects === 0) print('safe to prune: there is nothing that git lfs prune would delete');
  else print(`safe to prune: ${counted(objects, 'object')}, all in the store`);
}

function showLost({ location, objects, lost, all, trouble }: PruneStatus, print: (line: string) => void): void {
  const name = printable(location);
  print(
    `do not prune: of ${counted(objects, 'object')} that git lfs prune would delete, ${lost.length} may be the last copies`,
  );
  if (all) print('  (it did not say which it would delete, so all that are here were looked at)');
  const untold = lost.filter(({ answer }) => answer === 'untold');
  if (untold.length > 0 && trouble) {
    print(`  ${untold.length} could not be asked about: ${trouble.message}`);
    hint(trouble, print);
  }
  const same = lost.filter((one) => one.same);
  if (same.length > 0) {
    const files = same.length === 1 ? 'is the very file' : 'are the very files';
    print(`  ${counted(same.length, 'object')} there ${files} that prune would delete:`);
    print(
      `    ${name} and git-lfs's own folder here are one; let git-lfs have another (lfs.storage), or never prune here`,
    );
  }
  const gone = lost.filter((one) => one.answer !== 'untold' && !one.same);
  if (gone.length === 0) return;
  print(`  not in ${name}: git lfs push --all <remote> brings them there, lfs-depot sync those that wait here`);
  showList(gone, (one) => `    ${lineOf(one)}${notes(one)}`, print);
}

function notes({ answer, waits }: Lost): string {
  return `${answer === 'damaged' ? ', damaged there' : ''}${waits ? ', waits on this computer' : ''}`;
}
