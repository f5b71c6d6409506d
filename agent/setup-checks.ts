import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Config } from './config.ts';
import { type Repository, runGit } from './git.ts';
import { fleetingPlace, programWords, running } from './program.ts';
import { AGENT, ARGS_KEY, MATCH_KEY, PATH_KEY, programIn } from './start.ts';

// The links of doctor's chain from git to the agent, each looked at by itself; none changes anything.

/** One link of the chain. `cure` is a command where there is one, and is dropped where all is right. */
export interface Finding {
  subject: string;
  ok: boolean;
  detail: string;
  cure?: string;
  /** lfs-depot is not used here, which is nothing wrong: what to do if it should be. */
  next?: string;
}

export async function gitFound(cwd: string): Promise<Finding> {
  try {
    const { stdout, stderr } = await runGit(['--version'], { cwd });
    const version = stdout.trim() || stderr.trim();
    const [, major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(version) ?? []).map(Number);
    const ok = major > 2 || (major === 2 && minor >= 26);
    return { subject: 'git', ok, detail: version, cure: 'install git 2.26 or newer' };
  } catch (error) {
    return { subject: 'git', ok: false, detail: String(error), cure: 'install git' };
  }
}

export async function gitLfsFound(cwd: string): Promise<Finding> {
  const { status, stdout } = await runGit(['lfs', 'version'], { cwd });
  const cure = 'install git-lfs: https://git-lfs.com';
  return { subject: 'git-lfs', ok: status === 0, detail: status === 0 ? stdout.trim() : 'not installed', cure };
}

export function filtersSet(config: Config): Finding {
  const setting = config.get('filter.lfs.process');
  const detail = setting ? `set in ${setting.scope} git config` : 'not set: files would be committed into git itself';
  return { subject: 'git-lfs filters', ok: setting !== undefined, detail, cure: 'git lfs install' };
}

export async function agentSet(config: Config, cwd: string): Promise<Finding> {
  const subject = 'agent';
  const path = config.get(PATH_KEY)?.value;
  const args = config.get(ARGS_KEY)?.value;
  if (path === undefined || args === undefined || config.get(MATCH_KEY)?.value !== AGENT) {
    return { subject, ok: false, detail: 'git-lfs does not know lfs-depot yet', cure: 'lfs-depot install' };
  }
  const words = programIn({ path, args });
  if (!words)
    return { subject, ok: false, detail: `${PATH_KEY} starts something else: ${path}`, cure: 'lfs-depot install' };
  const program = words.join(' ');
  if (!words.every((word) => existsSync(word))) {
    return { subject, ok: false, detail: `git config names ${program}, which is gone`, cure: 'lfs-depot install' };
  }
  const { versionOfProgram } = await import('./program-version.ts');
  const version = await versionOfProgram(words, cwd);
  if (version === undefined) {
    return { subject, ok: false, detail: `${program} does not run`, cure: 'lfs-depot install' };
  }
  const other =
    program === programWords().join(' ') ? '' : ` (not the one that you just ran, ${programWords().join(' ')})`;
  const fleeting = fleetingPlace({ ...running(), executable: words[0] ?? '', script: words[1] });
  const note = fleeting ? `; ${fleeting}: better move it to where it can stay, and install it from there` : '';
  return { subject, ok: true, detail: `${program}, ${version}${other}${note}` };
}

/** An unscoped agent in global config sends the objects of every repository into one place. */
export function notHijacked(config: Config): Finding {
  const subject = 'other repositories';
  const unscoped = config
    .all('lfs.standalonetransferagent')
    .find(({ scope }) => scope === 'global' || scope === 'system');
  if (!unscoped) return { subject, ok: true, detail: 'left alone' };
  const detail = `lfs.standalonetransferagent in ${unscoped.scope} git config takes over every repository, on any LFS server`;
  return { subject, ok: false, detail, cure: `git config --${unscoped.scope} --unset-all lfs.standalonetransferagent` };
}

/** Without git-lfs's pre-push hook a push succeeds and sends no object. */
export async function hookSet(repository: Repository, cwd: string): Promise<Finding> {
  const subject = 'pre-push hook';
  if (repository.worktree === undefined) return { subject, ok: true, detail: 'not needed in a bare repository' };
  const { stdout } = await runGit(['rev-parse', '--git-path', 'hooks/pre-push'], { cwd });
  const hook = resolve(cwd, stdout.trim());
  const ok = existsSync(hook) && /git[ -]lfs/.test(readFileSync(hook, 'utf8'));
  const detail = ok ? hook : `${hook} does not call git-lfs: a push would not send any object`;
  return {
    subject,
    ok,
    detail,
    cure: 'git lfs update --manual tells the lines that it needs; git lfs install writes it',
  };
}

/** @param subject the name of a file that clones need, at the top of the worktree. */
export async function isCommittedAsHere(subject: string, { worktree }: Repository, cwd: string): Promise<Finding> {
  if (worktree === undefined) {
    const { status } = await runGit(['rev-parse', '--verify', '--quiet', `HEAD:${subject}`], { cwd });
    return { subject, ok: true, detail: status === 0 ? 'read from HEAD' : 'there is none' };
  }
  // Not `git status`: it may run git-lfs's filters, which put a missing hook back, and doctor must change nothing.
  const [here, committed] = await Promise.all([
    runGit(['-C', worktree, 'hash-object', subject], { cwd }),
    runGit(['-C', worktree, 'rev-parse', '--verify', '--quiet', `HEAD:${subject}`], { cwd }),
  ]);
  if (here.status !== 0 && committed.status === 0) {
    return { subject, ok: true, detail: 'committed, and not checked out here' };
  }
  if (here.stdout !== committed.stdout) {
    const detail = 'has changes that are not committed: clones do not have them';
    return {
      subject,
      ok: false,
      detail,
      cure: `git add ${subject}\ngit commit -m "Keep LFS objects with lfs-depot"`,
    };
  }
  return { subject, ok: true, detail: existsSync(resolve(worktree, subject)) ? 'committed' : 'there is none' };
}

/** Where an agent moves the objects, git-lfs asks nobody about them before it deletes its own, and says "verified". */
export function pruneKnown(config: Config): Finding {
  const subject = 'prune';
  const always = config.get(PRUNE_ALWAYS);
  // As git-lfs reads a boolean.
  if (!always || !/^(true|1|on|yes|t)$/i.test(always.value)) {
    const detail = '`git lfs prune --verify-remote` verifies nothing here; `lfs-depot status --for-prune` does';
    return { subject, ok: true, detail };
  }
  const detail = `${PRUNE_ALWAYS} in ${always.scope} git config promises what git-lfs does not do here: it asks no store`;
  // With an LFS server it does, and other repositories may have one.
  const ours = always.scope === 'local' || always.scope === 'worktree';
  const cure = ours ? `git config --${always.scope} --unset-all ${PRUNE_ALWAYS}` : `git config ${PRUNE_ALWAYS} false`;
  return { subject, ok: false, detail, cure: `${cure}\nand before each prune: lfs-depot status --for-prune` };
}

const PRUNE_ALWAYS = 'lfs.pruneverifyremotealways';
