import { DepotError } from '../../backends/errors.ts';
import { isShallow, type Revisions } from './revisions.ts';

/**
 * What a push is about to send, from what git writes to its pre-push hook: a line for each ref, `<local ref> <local oid>
 * <remote ref> <remote oid>`. What the push deletes is left out; there is nothing where the remote has everything already.
 * @throws DepotError `configuration` for any other text: what a broken hook passes on must not let everything through.
 */
export async function pushedRevisions(cwd: string, told: string): Promise<Revisions> {
  const sent = told
    .split(/\r?\n/)
    .filter((line) => line !== '')
    .map(parseLine)
    .filter(({ commit }) => !/^0+$/.test(commit));
  const commits = [...new Set(sent.map(({ commit }) => commit))];
  const names = [...new Set(sent.map(({ name }) => name))];
  return { names, commits, tips: commits, leading: commits, shallow: await isShallow(cwd) };
}

/** The local ref is what was typed, which may have blanks: `main@{1 day ago}`. */
function parseLine(line: string): { name: string; commit: string } {
  const [, ref, commit] = /^(.+) ([0-9a-f]{40,64}) \S+ [0-9a-f]{40,64}$/.exec(line) ?? [];
  if (ref !== undefined && commit !== undefined) return { name: ref.replace(/^refs\/(heads|tags)\//, ''), commit };
  throw new DepotError('configuration', {
    what: 'cannot tell what is pushed',
    why: `'${line.slice(0, 80)}' is not what git writes to a pre-push hook`,
    cure: 'let the hook pass on all that it reads, as docs/keeps-working.md shows under "Days without the server"',
  });
}
