import type { Backend } from '../backends/backend.ts';
import { DepotError } from '../backends/errors.ts';
import { formatLocation, type Location } from '../backends/location.ts';
import { shellWord } from '../backends/shell-word.ts';
import { type Config, readConfig } from './config.ts';
import { examineStore } from './create-store.ts';
import { defaultEndpoint, defaultQuery } from './default-remote.ts';
import { type Endpoint, LOCATION_VARIABLE } from './endpoint.ts';
import { type Repository, repositoryAround } from './git.ts';
import { leftAlone } from './left-alone.ts';
import { readMarker } from './marker.ts';
import { folderHere } from './mounts.ts';
import { locate, openEndpoint, surroundings } from './open-store.ts';
import { checkCache, checkMirrors, checkSpools } from './places/place-checks.ts';
import { probe } from './probe.ts';
import {
  agentSet,
  type Finding,
  filtersSet,
  gitFound,
  gitLfsFound,
  hookSet,
  isCommittedAsHere,
  notHijacked,
  pruneKnown,
} from './setup-checks.ts';
import { spoolsIn } from './spool/spool.ts';
import type { Store } from './store.ts';
import { resolveTyped } from './typed-location.ts';

/**
 * Looks at everything between git and the store, in the order in which it is used; what depends on a broken link is left
 * out. Each finding is told as soon as it is known.
 * @param typed a location to look at instead of the repository's.
 */
export async function diagnose(typed: string | undefined, tell: (finding: Finding) => void): Promise<Finding[]> {
  const cwd = process.cwd();
  const findings: Finding[] = [];
  const note = (finding: Finding): boolean => {
    // Of what is right there is nothing to mend.
    const { cure, ...known } = finding;
    const told = finding.ok ? known : finding;
    findings.push(told);
    tell(told);
    return finding.ok;
  };

  if (!note(await gitFound(cwd))) return findings;
  note(await gitLfsFound(cwd));
  let repository: Repository | undefined;
  let refused = false;
  try {
    repository = await repositoryAround(cwd);
  } catch (error) {
    if (!(error instanceof DepotError)) throw error;
    note({ subject: 'repository', ok: false, detail: error.message, cure: error.cure });
    refused = true;
  }
  const config = await readConfig(cwd, repository);
  note(filtersSet(config));
  note(await agentSet(config, cwd));
  note(notHijacked(config));

  if (typed !== undefined) {
    await attempt(note, true, async () => ({ location: resolveTyped(typed), kind: 'store' as const }), config);
    return findings;
  }
  if (refused) return findings;
  if (!repository) {
    note({
      subject: 'repository',
      ok: true,
      detail: `none at ${cwd}: run this in a clone, or name a location, to look at a store`,
    });
    return findings;
  }
  const alone = leftAlone(await defaultQuery(cwd, config, process.env[LOCATION_VARIABLE]));
  if (alone) {
    // What else is looked at is right or wrong only where lfs-depot is used; and its store is not ours to write to.
    note({ subject: 'location', ok: true, detail: alone.detail, next: alone.next });
    if ((await spoolsIn(repository.commonDir)).length > 0) note(await checkSpools(repository.commonDir, config));
    return findings;
  }
  note(await hookSet(repository, cwd));
  for (const file of ['.lfsconfig', '.lfsdepot']) note(await isCommittedAsHere(file, repository, cwd));
  note(pruneKnown(config));
  note(await checkSpools(repository.commonDir, config));
  const cache = await checkCache(config);
  if (cache) note(cache);
  const base = repository.worktree ?? cwd;
  if (!(await attempt(note, false, () => storeOf(config, base), config))) return findings;
  for (const finding of await checkMirrors(await endpointOf(config), config, base)) note(finding);
  return findings;
}

function endpointOf(config: Config): Promise<Endpoint> {
  return defaultEndpoint(process.cwd(), config, process.env[LOCATION_VARIABLE]);
}

async function storeOf(config: Config, base: string): Promise<Named> {
  const endpoint = await endpointOf(config);
  return { location: locate(endpoint, config, base), kind: endpoint.kind };
}

interface Named {
  location: Location;
  kind: Endpoint['kind'];
}

type Note = (finding: Finding) => boolean;

/** Location → store → a real object → space. Resolves to whether there was a location to look at. */
async function attempt(note: Note, named: boolean, find: () => Promise<Named>, config: Config) {
  let step = 'location';
  let name = '';
  let ownMarker = false;
  const leave = named ? 'as you named it' : 'which is your own choice, or trusted';
  try {
    const { location, kind } = await find();
    name = formatLocation(location);
    ownMarker = kind !== 'repository';
    note({ subject: step, ok: true, detail: `${name}, ${leave}${await mountedAt(location, config)}` });
    step = 'store';
    const { store, own } = await openEndpoint(kind, location, config);
    note({ subject: step, ok: true, detail: await describeStore(store, own) });
    step = 'moving';
    if (location.kind === 'webdav') note(await moving(store.backend));
    step = 'writing and reading';
    await probe(store.backend);
    note({ subject: step, ok: true, detail: 'an object was stored, read back and removed' });
    step = 'free space';
    note(freeSpace(await store.backend.space()));
  } catch (error) {
    if (!(error instanceof DepotError)) throw error;
    note({
      subject: step,
      ok: false,
      detail: error.message,
      cure: ownMarker ? cureFor(step, error, name) : error.cure,
    });
  }
  return name !== '';
}

/** Somebody who runs doctor can tell a share that is away from a marker that is gone; a push cannot. */
function cureFor(step: string, { kind, cure }: DepotError, name: string): string {
  if (step !== 'store' || kind !== 'no-store') return cure;
  return `${cure}\nif it is there, and only its marker was lost, run: lfs-depot init --adopt ${shellWord(name)}`;
}

/** Where a share was found on a system that does not open it by its name. */
async function mountedAt(location: Location, config: Config): Promise<string> {
  const around = surroundings();
  if (location.kind !== 'share' || around.platform === 'win32') return '';
  return `; mounted here as ${await folderHere(location, config, around)}`;
}

async function describeStore(store: Store, own: boolean): Promise<string> {
  if (own) return `the objects of the repository at ${store.location}`;
  const { id, created } = await readMarker(store.backend);
  return `id ${id}, made ${created.slice(0, 10)}`;
}

/** Tries out anew what the marker says of the server, and puts it right there. */
async function moving(backend: Backend): Promise<Finding> {
  const changed = await examineStore(backend, await readMarker(backend));
  const { findings } = await readMarker(backend);
  const found = findings.move ?? 'trusted';
  const noted = changed ? ' (new, and noted in lfs-depot.json)' : '';
  return { subject: 'moving', ok: found !== 'untrusted', detail: `${MOVING[found]}${noted}`, cure: MOVE_CURE };
}

const MOVING = {
  trusted: 'the server renames files as it should',
  copies: 'the server copies from folder to folder: uploads begin beside their final name',
  untrusted:
    'the server cannot move files safely: uploads go to their final name and are read back, which takes longer',
};
const MOVE_CURE = 'whoever runs the server allows the method MOVE (in nginx: dav_methods PUT DELETE MKCOL COPY MOVE)';

const LITTLE_SPACE = 100 * 1024 * 1024;

function freeSpace(bytes: number | undefined): Finding {
  const subject = 'free space';
  if (bytes === undefined) return { subject, ok: true, detail: 'the storage does not tell' };
  const detail = bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${(bytes / 1e6).toFixed(1)} MB`;
  return bytes >= LITTLE_SPACE
    ? { subject, ok: true, detail }
    : { subject, ok: false, detail, cure: 'free some space there' };
}
