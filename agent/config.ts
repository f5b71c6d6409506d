import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { git, type Repository, runGit } from './git.ts';

/**
 * Git's configuration and `.lfsconfig`, as git-lfs combines them: any scope of git config beats `.lfsconfig`, and of
 * several values the last one wins. `.lfsdepot` counts as `.lfsconfig` does: it is our own, since git-lfs warns at every run
 * of keys in `.lfsconfig` that it does not know.
 */
export interface Setting {
  /** `lfsconfig` and `lfsdepot` for what came with the repository: somebody else's text. */
  scope: 'system' | 'global' | 'local' | 'worktree' | 'command' | 'lfsconfig' | 'lfsdepot' | 'unknown';
  /** As git prints it: section and name in lower case. */
  key: string;
  value: string;
}

export interface Config {
  readonly settings: readonly Setting[];
  /** The value that counts. */
  get(key: string): Setting | undefined;
  all(key: string): Setting[];
}

export function configOf(settings: readonly Setting[]): Config {
  return {
    settings,
    get: (key) => settings.findLast((setting) => setting.key === key),
    all: (key) => settings.filter((setting) => setting.key === key),
  };
}

/** Reads all scopes that apply in `cwd`. `repository` undefined: outside of one. */
export async function readConfig(
  cwd: string,
  repository: Repository | undefined | Promise<Repository | undefined>,
): Promise<Config> {
  const committed = Promise.resolve(repository).then((found) => (found ? readCommitted(cwd, found) : []));
  // At the same time: each start of git costs the agent's first object some milliseconds.
  const [own, theirs] = await Promise.all([readGitConfig(cwd), committed]);
  return configOf([...theirs, ...own]);
}

/** All of git's settings. */
export const SETTINGS: string[] = ['config', '--list', '--show-scope', '--null'];

/** Those of one file. */
export function settingsIn(file: string): string[] {
  return ['config', '--list', '--null', '--file', file];
}

async function readGitConfig(cwd: string): Promise<Setting[]> {
  const fields = (await git(SETTINGS, { cwd })).split('\0');
  const settings: Setting[] = [];
  for (let index = 0; index + 1 < fields.length; index += 2) {
    settings.push({ scope: fields[index] as Setting['scope'], ...keyAndValue(fields[index + 1] ?? '') });
  }
  return settings;
}

/** The files that a repository configures us by, and the keys that count in them. */
const COMMITTED = {
  // Only the keys by which git-lfs lets a repository choose its endpoint; it ignores the others too, and warns.
  lfsconfig: /^(lfs\.(url|pushurl)|remote\..+\.lfs(push)?url)$/s,
  lfsdepot: /^depot\.(mirror|write|quorum)$/,
} as const;

async function readCommitted(cwd: string, repository: Repository): Promise<Setting[]> {
  const lfsConfig = readFileOf(cwd, repository, 'lfsconfig');
  const { worktree } = repository;
  // Most repositories have no .lfsdepot: git is asked for one that is not checked out only where .lfsconfig is not, either.
  const isElsewhere = worktree === undefined || !existsSync(join(worktree, '.lfsconfig'));
  const isHere = worktree !== undefined && existsSync(join(worktree, '.lfsdepot'));
  const ours = isHere || isElsewhere ? readFileOf(cwd, repository, 'lfsdepot') : [];
  return [...(await ours), ...(await lfsConfig)];
}

/** From the worktree, else the index, else HEAD; from HEAD in a bare repository. As git-lfs looks for `.lfsconfig`. */
async function readFileOf(cwd: string, { worktree }: Repository, scope: keyof typeof COMMITTED): Promise<Setting[]> {
  const file = worktree === undefined ? undefined : join(worktree, `.${scope}`);
  if (file !== undefined && existsSync(file)) return parse(await git(settingsIn(file), { cwd }), scope);
  for (const blob of worktree === undefined ? [`HEAD:.${scope}`] : [`:.${scope}`, `HEAD:.${scope}`]) {
    const settings = await readBlob(cwd, blob, scope);
    if (settings) return settings;
  }
  return [];
}

/** What counts of such a file as it was committed; undefined where git has no such blob, or cannot read it as settings. */
export async function readBlob(
  cwd: string,
  blob: string,
  scope: keyof typeof COMMITTED,
): Promise<Setting[] | undefined> {
  const { status, stdout } = await runGit(['config', '--list', '--null', '--blob', blob], { cwd });
  return status === 0 ? parse(stdout, scope) : undefined;
}

/** Whether a setting says where LFS objects are: one of those that may stand in `.lfsconfig`. */
export function namesPlace({ key }: Setting): boolean {
  return COMMITTED.lfsconfig.test(key);
}

function parse(printed: string, scope: keyof typeof COMMITTED): Setting[] {
  return printed
    .split('\0')
    .filter((field) => field !== '')
    .map((field) => ({ scope, ...keyAndValue(field) }))
    .filter(({ key }) => COMMITTED[scope].test(key));
}

/** git prints `key\nvalue`, and the key alone for one without `=`, which means true. */
function keyAndValue(field: string): { key: string; value: string } {
  const end = field.indexOf('\n');
  return end < 0 ? { key: field, value: 'true' } : { key: field.slice(0, end), value: field.slice(end + 1) };
}

/** Whether a repository says so, and not its user. */
export function isCommitted({ scope }: Setting): boolean {
  return scope === 'lfsconfig' || scope === 'lfsdepot';
}

/** Where a setting stands, for messages. */
export function placeOfSetting({ scope }: Setting): string {
  if (scope === 'lfsconfig' || scope === 'lfsdepot') return `.${scope}`;
  return `${scope} git config`;
}
