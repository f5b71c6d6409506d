import { git, runGit } from '../git.ts';
import { commitOf, knownCommit } from '../pointers.ts';

/** Which part of a history is looked at. */
export interface Revisions {
  /** For people: "HEAD (main)". */
  names: string[];
  /** Ids of what the history is reached from. None where nothing was committed yet. */
  commits: string[];
  /** Ids of the commits that a clone may check out first. */
  tips: string[];
  /** By whose committed settings a clone goes: of all branches, the one that is checked out here. */
  leading: string[];
  /** Older commits are not in this clone. */
  shallow: boolean;
}

/**
 * HEAD, or the refs that were typed; `all`: every branch, the remotes' too, and every tag. Not the stash, which nobody pushes.
 * @throws DepotError `configuration` for a name that git does not know.
 */
export async function revisionsOf(cwd: string, refs: string[], all: boolean): Promise<Revisions> {
  const shallow = await isShallow(cwd);
  const head = await knownCommit(cwd, 'HEAD');
  const atHead = head === undefined ? [] : [head];
  if (all) {
    const every = await everyRef(cwd, atHead);
    const leading = head === undefined ? every.commits : atHead;
    return { names: ['all branches and tags'], ...every, leading, shallow };
  }
  if (refs.length === 0) {
    return { names: [await nameOfHead(cwd, head)], commits: atHead, tips: atHead, leading: atHead, shallow };
  }
  const commits: string[] = [];
  for (const ref of refs) commits.push(await commitOf(cwd, ref));
  const tips = [...new Set(commits)];
  return { names: refs, commits, tips, leading: tips, shallow };
}

export async function isShallow(cwd: string): Promise<boolean> {
  return (await git(['rev-parse', '--is-shallow-repository'], { cwd })).trim() === 'true';
}

async function everyRef(cwd: string, atHead: string[]): Promise<Pick<Revisions, 'commits' | 'tips'>> {
  const format = '--format=%(objectname) %(refname)';
  const printed = await git(['for-each-ref', format, 'refs/heads', 'refs/remotes', 'refs/tags'], { cwd });
  const commits = new Set(atHead);
  const tips = new Set(atHead);
  for (const line of printed.split(/\r?\n/)) {
    const [, id, name] = /^(\S+) (.*)$/.exec(line) ?? [];
    if (id === undefined) continue;
    commits.add(id);
    if (!name?.startsWith('refs/tags/')) tips.add(id);
  }
  return { commits: [...commits], tips: [...tips] };
}

async function nameOfHead(cwd: string, head: string | undefined): Promise<string> {
  const { status, stdout } = await runGit(['symbolic-ref', '--quiet', '--short', 'HEAD'], { cwd });
  if (status === 0) return `HEAD (${stdout.trim()})`;
  return head === undefined ? 'HEAD' : `HEAD (detached at ${head.slice(0, 10)})`;
}
