import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { DepotError } from '../backends/errors.ts';
import { formatLocation, type Location } from '../backends/location.ts';
import { type Config, readConfig } from './config.ts';
import { locate, openStore } from './connect.ts';
import { findEndpoint } from './endpoint.ts';
import { findRepository, type Repository, runGit } from './git.ts';
import { openGitObjects } from './git-objects.ts';
import { readMarker } from './marker.ts';
import { probe } from './probe.ts';
import { shellWord } from './shell-word.ts';
import { AGENT, ARGS_KEY, MATCH_KEY, PATH_KEY, programIn, programWords } from './start.ts';
import type { Store } from './store.ts';
import { resolveTyped } from './typed-location.ts';

/** One link of the chain. `cure` is a command where there is one. */
export interface Finding {
  subject: string;
  ok: boolean;
  detail: string;
  cure?: string;
}

/**
 * Looks at everything between git and the store, in the order in which it is used; what depends on a broken link is left
 * out. Each finding is told as soon as it is known.
 * @param typed a location to look at instead of the repository's.
 */
export async function diagnose(typed: string | undefined, tell: (finding: Finding) => void): Promise<Finding[]> {
  const cwd = process.cwd();
  const findings: Finding[] = [];
  const note = (finding: Finding): boolean => {
    findings.push(finding);
    tell(finding);
    return finding.ok;
  };

  if (!note(await gitFound(cwd))) return findings;
  note(await gitLfsFound(cwd));
  const repository = await findRepository(cwd).catch(() => undefined);
  const config = await readConfig(cwd, repository);
  note(filtersSet(config));
  note(await agentSet(config, cwd));
  note(notHijacked(config));

  if (typed !== undefined) {
    await attempt(note, true, async () => ({ location: resolveTyped(typed), own: false }), config);
    return findings;
  }
  if (!repository) {
    note({
      subject: 'repository',
      ok: true,
      detail: `none at ${cwd}: run this in a clone, or name a location, to look at a store`,
    });
    return findings;
  }
  note(await hookSet(repository, cwd));
  note(await lfsConfigCommitted(repository, cwd));
  await attempt(note, false, async () => ofRepository(config, repository, cwd), config);
  return findings;
}

function ofRepository(config: Config, { worktree }: Repository, cwd: string): { location: Location; own: boolean } {
  const endpoint = findEndpoint({
    operation: 'upload',
    remote: '',
    config,
    argument: undefined,
    environment: undefined,
  });
  return { location: locate(endpoint, config, worktree ?? cwd), own: endpoint.kind === 'repository' };
}

type Note = (finding: Finding) => boolean;

/** Location → store → a real object → space. */
async function attempt(
  note: Note,
  named: boolean,
  find: () => Promise<{ location: Location; own: boolean }>,
  config: Config,
) {
  let step = 'location';
  let name = '';
  const leave = named ? 'as you named it' : 'which is your own choice, or trusted';
  try {
    const { location, own } = await find();
    name = formatLocation(location);
    note({ subject: step, ok: true, detail: `${name}, ${leave}` });
    step = 'store';
    const store = own ? await openGitObjects(location, config) : await openStore(location, config);
    note({ subject: step, ok: true, detail: await describeStore(store, own) });
    step = 'writing and reading';
    await probe(store.backend);
    note({ subject: step, ok: true, detail: 'an object was stored, read back and removed' });
    step = 'free space';
    note(freeSpace(await store.backend.space()));
  } catch (error) {
    if (!(error instanceof DepotError)) throw error;
    note({ subject: step, ok: false, detail: error.message, cure: cureFor(step, error, name) });
  }
}

/** Somebody who runs doctor can tell a share that is away from a marker that is gone; a push cannot. */
function cureFor(step: string, { kind, cure }: DepotError, name: string): string {
  if (step !== 'store' || kind !== 'no-store') return cure;
  return `${cure}\nif it is there, and only its marker was lost, run: lfs-depot init --adopt ${shellWord(name)}`;
}

async function describeStore(store: Store, own: boolean): Promise<string> {
  if (own) return `the objects of the repository at ${store.location}`;
  const { id, created } = await readMarker(store.backend);
  return `id ${id}, made ${created.slice(0, 10)}`;
}

const LITTLE_SPACE = 100 * 1024 * 1024;

function freeSpace(bytes: number | undefined): Finding {
  const subject = 'free space';
  if (bytes === undefined) return { subject, ok: true, detail: 'the storage does not tell' };
  const detail = bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${(bytes / 1e6).toFixed(1)} MB`;
  return bytes >= LITTLE_SPACE
    ? { subject, ok: true, detail }
    : { subject, ok: false, detail, cure: 'free some space there' };
}

async function gitFound(cwd: string): Promise<Finding> {
  try {
    const { stdout } = await runGit(['--version'], { cwd });
    const version = stdout.trim();
    const [, major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(version) ?? []).map(Number);
    const ok = major > 2 || (major === 2 && minor >= 26);
    return { subject: 'git', ok, detail: version, cure: 'install git 2.26 or newer' };
  } catch (error) {
    return { subject: 'git', ok: false, detail: String(error), cure: 'install git' };
  }
}

async function gitLfsFound(cwd: string): Promise<Finding> {
  const { status, stdout } = await runGit(['lfs', 'version'], { cwd });
  const cure = 'install git-lfs: https://git-lfs.com';
  return { subject: 'git-lfs', ok: status === 0, detail: status === 0 ? stdout.trim() : 'not installed', cure };
}

function filtersSet(config: Config): Finding {
  const setting = config.get('filter.lfs.process');
  const detail = setting ? `set in ${setting.scope} git config` : 'not set: files would be committed into git itself';
  return { subject: 'git-lfs filters', ok: setting !== undefined, detail, cure: 'git lfs install' };
}

async function agentSet(config: Config, cwd: string): Promise<Finding> {
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
  return { subject, ok: true, detail: `${program}, ${version}${other}` };
}

/** An unscoped agent in global config sends the objects of every repository into one place. */
function notHijacked(config: Config): Finding {
  const subject = 'other repositories';
  const unscoped = config
    .all('lfs.standalonetransferagent')
    .find(({ scope }) => scope === 'global' || scope === 'system');
  if (!unscoped) return { subject, ok: true, detail: 'left alone' };
  const detail = `lfs.standalonetransferagent in ${unscoped.scope} git config takes over every repository, on any LFS server`;
  return { subject, ok: false, detail, cure: `git config --${unscoped.scope} --unset-all lfs.standalonetransferagent` };
}

/** Without git-lfs's pre-push hook a push succeeds and sends no object. */
async function hookSet(repository: Repository, cwd: string): Promise<Finding> {
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

async function lfsConfigCommitted({ worktree }: Repository, cwd: string): Promise<Finding> {
  const subject = '.lfsconfig';
  if (worktree === undefined) return { subject, ok: true, detail: 'read from HEAD' };
  // Not `git status`: it may run git-lfs's filters, which put a missing hook back, and doctor must change nothing.
  const [here, committed] = await Promise.all([
    runGit(['-C', worktree, 'hash-object', '.lfsconfig'], { cwd }),
    runGit(['-C', worktree, 'rev-parse', '--verify', '--quiet', 'HEAD:.lfsconfig'], { cwd }),
  ]);
  if (here.stdout !== committed.stdout) {
    const detail = 'has changes that are not committed: clones do not have them';
    return {
      subject,
      ok: false,
      detail,
      cure: 'git add .lfsconfig && git commit -m "Keep LFS objects with lfs-depot"',
    };
  }
  return { subject, ok: true, detail: existsSync(resolve(worktree, '.lfsconfig')) ? 'committed' : 'there is none' };
}
