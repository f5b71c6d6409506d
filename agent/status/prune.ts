import { readdirSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import pMap from 'p-map';
import { DepotError } from '../../backends/errors.ts';
import { parseLocation } from '../../backends/location.ts';
import type { Config } from '../config.ts';
import { runGit } from '../git.ts';
import { objectPath, oidAt } from '../layout.ts';
import { objectsFolderOf } from '../lfs-storage.ts';
import { folderHere } from '../mounts.ts';
import { type Oid, parseOid } from '../oid.ts';
import { surroundings } from '../open-store.ts';
import { knownCommit, pointersIn } from '../pointers.ts';
import { spoolsIn } from '../spool/spool.ts';
import type { Store } from '../store.ts';
import { verifyPolicy } from '../verify-policy.ts';
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
  /** What the store has is the very file that prune would delete: its folder is, by some way, git-lfs's own. */
  same: boolean;
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

  const note = (error: unknown): Judged => {
    if (!(error instanceof DepotError)) throw error;
    primary.blame(error);
    status.trouble ??= error;
    return UNTOLD;
  };
  const store = forbidden ? undefined : await primary.open().catch((error) => void note(error));
  const root = store && (await rootOf(store, config));
  const policy = store && verifyPolicy(config, store.backend.capabilities.reads);
  let done = 0;
  const answers = await pMap(
    oids,
    async (oid) => {
      const file = join(folder, objectPath(oid));
      const size = sizeAt(file);
      const judged =
        !store || primary.trouble ? UNTOLD : await judge(store, oid, { file, size, root, policy }).catch(note);
      tell(`asking ${primary.name}`, ++done, oids.length);
      return { oid, size: size ?? 0, ...judged };
    },
    { concurrency: PARALLEL },
  );
  const lost = answers.filter(({ answer, same }) => answer !== 'there' || same);
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

type Judged = Pick<Lost, 'answer' | 'same'>;

const UNTOLD: Judged = { answer: 'untold', same: false };

interface Here {
  /** git-lfs's own, and its bytes. */
  file: string;
  size: number | undefined;
  root: string | undefined;
  policy: 'size' | 'content' | undefined;
}

async function judge(store: Store, oid: Oid, { file, size, root, policy }: Here): Promise<Judged> {
  const found = await store.stat(oid);
  if (!found) return { answer: 'absent', same: false };
  const same = root !== undefined && (await isSameFile(join(root, found.path), file));
  const right = policy === 'content' ? (await store.backend.digest(found.path)) === oid : found.size === size;
  return { answer: right ? 'there' : 'damaged', same };
}

/** The folder that the store is on this computer; undefined for one on the web. */
async function rootOf(store: Store, config: Config): Promise<string | undefined> {
  const location = parseLocation(store.backend.location, surroundings());
  if (location.kind === 'webdav') return undefined;
  return folderHere(location, config, surroundings());
}

/** Under whatever names, through links and mounts. */
async function isSameFile(one: string, other: string): Promise<boolean> {
  const [first, second] = await Promise.all(
    [one, other].map((file) => stat(file, { bigint: true }).catch(() => undefined)),
  );
  return first !== undefined && second !== undefined && first.dev === second.dev && first.ino === second.ino;
}

/**
 * What git-lfs says that it would delete; undefined when it fails, or when its numbers do not fit to what it names: what is
 * here and not retained is deleted. It counts as retained what is not here, too, so the difference can only be too small.
 */
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
  // The line is printed again and again while it counts.
  const [, local, retained] = [...stdout.matchAll(/(\d+) local objects?, (\d+) retained/g)].at(-1) ?? [];
  const isTold = local !== undefined && Number(local) - Number(retained) <= announced;
  return isTold && announced === oids.size ? [...oids] : undefined;
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
