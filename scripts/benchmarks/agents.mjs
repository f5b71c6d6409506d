import { fileURLToPath } from 'node:url';
import { shellQuote } from '../../backends/shell-word.ts';

export const DEPOT = 'lfs-depot';
export const ADAPTER = 'file adapter';
export const NOTHING = 'does nothing';
export const PLAIN = 'plain Node';

/**
 * A fake agent, what git-lfs costs by itself: says of every object at once that it is stored, or that it was fetched into the
 * folder that is $1, where it lies.
 */
const DOES_NOTHING = `while read -r line; do case $line in
*'"event":"init"'*) case $line in *download*) way=down;; *) way=up;; esac; printf '{}\\n';;
*'"event":"terminate"'*) exit 0;;
*) oid=\${line#*'"oid":"'}; oid=\${oid%%'"'*};
case $way in up) printf '{"event":"complete","oid":"%s"}\\n' "$oid";;
*) printf '{"event":"complete","oid":"%s","path":"%s"}\\n' "$oid" "$1/$oid";; esac;;
esac; done`;

/** Settings of git for an agent that is no lfs-depot: which program, for this one run. */
function ownAgent(path, args) {
  const settings = { path, args, concurrent: 'true', direction: 'both' };
  const pairs = Object.entries(settings).map(([key, value]) => `lfs.customtransfer.bench.${key}=${value}`);
  return [...pairs, 'lfs.standalonetransferagent=bench', 'lfs.url=bench:'].flatMap((pair) => ['-c', pair]);
}

/** @param folder where what was fetched lies: see layOut. */
export function doesNothing(folder) {
  const script = DOES_NOTHING.replaceAll('\n', ' ');
  return ownAgent('sh', ['-c', script, 'nothing', folder].map(shellQuote).join(' '));
}

/** Started for the first object, as lfs-depot is, and with the same Node. @param folder where it keeps objects. */
export function plainNode(folder) {
  const script = `read -r init; printf '{}\\n'; read -r line; case $line in *oid*) exec "$1" "$2" "$3" "$line";; esac`;
  const program = fileURLToPath(new URL('plain-node.cjs', import.meta.url));
  return ownAgent('sh', ['-c', script, 'plain', process.execPath, program, folder].map(shellQuote).join(' '));
}

/** One that was given on the command line. `{store}` in its arguments is the folder, or the URL, that it is to use. */
export function givenAgent({ path, args }, store) {
  return ownAgent(path, args.replaceAll('{store}', shellQuote(store)));
}

export function depot(location) {
  return ['-c', `lfs.url=depot::${location}`];
}

export function fileAdapter(remote) {
  return ['-c', `lfs.url=file://${remote}`];
}
