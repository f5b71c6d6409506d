import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import pMap from 'p-map';
import { DepotError } from '../../backends/errors.ts';
import { verifyPolicy } from '../config.ts';
import { runGit } from '../git.ts';
import { objectPath, oidAt } from '../layout.ts';
import { objectsFolderOf } from '../lfs-storage.ts';
import { type Oid, parseOid } from '../oid.ts';
import { spoolsIn } from '../places/spool.ts';
import { knownCommit, pointersIn } from '../pointers.ts';
import type { Store } from '../store.ts';
import type { Answer } from './asked.ts';
import { findPlaces } from './found.ts';
import { revisionsOf } from './revisions.ts';

/**
 * Whether `git lfs prune` may run here. Its own `--verify-remote` asks nobody where an agent moves the objects, and calls them
 * all verified.
 */
export interface PruneStatus {
  /** The store. */
  location: string;
  /** What prune would delete. */
  objects: number;
  /** git-lfs did not say what it would delete, so all that it has here was looked at. */
  all: boolean;
  /** What the store does not have, as it should be or at all, or could not be asked about. */
  lost: Lost[];
  /** Why it could not be asked, or not about all. */
  trouble: DepotError | undefined;
}

export interface Lost {
  oid: Oid;
  /** Bytes of the file here. */
  size: number;
  answer: Answer;
  /** It waits in the spool, which prune leaves alone. */
  waits: boolean;
  /** Undefined for what is in no branch or tag. */
  path: string | undefined;
}

/** Objects that are looked at at once: on a local disk, each is read as a whole. */
const PARALLEL = 4;

/** @throws DepotError `configuration` where there is no repository, or no store is named. */
export async function pruneStatus(
  tell: (doing: string, done: number, of?: number) => void = () => {},
): Promise<PruneStatus> {
  const { cwd, repository, config, primary, forbidden } = await findPlaces();
  const folder = objectsFolderOf(repository, config);
  const named = await namedByGitLfs(cwd);
  const oids = named ?? objectsIn(folder);
  const status: PruneStatus = {
    location: primary.name,
    objects: oids.length,
    all: named === undefined,
    lost: [],
    trouble: forbidden,
  };
  if (oids.length === 0) return status;

  const note = (error: unknown): Answer => {
    if (!(error instanceof DepotError)) throw error;
    primary.blame(error);
    status.trouble ??= error;
    return 'untold';
  };
  const store = forbidden ? undefined : await primary.open().catch((error) => void note(error));
  let done = 0;
  const answers = await pMap(
    oids,
    async (oid) => {
      const size = sizeAt(join(folder, objectPath(oid)));
      const untold = !store || primary.trouble !== undefined;
      const byContent = store && verifyPolicy(config, store.backend.capabilities.reads) === 'content';
      const answer = untold ? 'untold' : await judge(store, oid, byContent ? 'content' : size).catch(note);
      tell(`asking ${primary.name}`, ++done, oids.length);
      return { oid, size: size ?? 0, answer };
    },
    { concurrency: PARALLEL },
  );
  const lost = answers.filter(({ answer }) => answer !== 'there');
  if (lost.length === 0) return status;

  const spools = await spoolsIn(repository.commonDir);
  const { commits } = await revisionsOf(cwd, [], true);
  const { objects } = await pointersIn(cwd, commits);
  for (const one of lost) {
    const waits = (await Promise.all(spools.map((spool) => spool.has(one.oid)))).includes(true);
    status.lost.push({ ...one, waits, path: objects.get(one.oid)?.path });
  }
  return status;
}

/** @param expected bytes, or that its content is to be read back. */
async function judge(store: Store, oid: Oid, expected: number | undefined | 'content'): Promise<Answer> {
  const found = await store.stat(oid);
  if (!found) return 'absent';
  const right = expected === 'content' ? (await store.backend.digest(found.path)) === oid : found.size === expected;
  return right ? 'there' : 'damaged';
}

/** What git-lfs says that it would delete; undefined when it fails, or does not name as many as it says there are. */
async function namedByGitLfs(cwd: string): Promise<Oid[] | undefined> {
  // It would fail, and write a log of that.
  if ((await knownCommit(cwd, 'HEAD')) === undefined) return undefined;
  // Without the variable it tells a pipe the last one only. It is translated, and we read it.
  const env = { ...process.env, GIT_LFS_FORCE_PROGRESS: '1', LC_ALL: 'C', LANGUAGE: '' };
  const args = ['lfs', 'prune', '--dry-run', '--verbose', '--no-verify-remote'];
  const { status, stdout } = await runGit(args, { cwd, env });
  if (status !== 0) return undefined;
  const oids = new Set((stdout.match(/\b[0-9a-f]{64}\b/g) ?? []).flatMap((text) => parseOid(text) ?? []));
  const announced = Number(/(\d+) files? would be pruned/.exec(stdout)?.[1] ?? 0);
  const counted = /\d+ local objects?, \d+ retained/.test(stdout);
  return counted && announced === oids.size ? [...oids] : undefined;
}

function objectsIn(folder: string): Oid[] {
  try {
    const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    return paths.flatMap((path) => oidAt(path.replaceAll('\\', '/')) ?? []);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function sizeAt(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.size;
}
