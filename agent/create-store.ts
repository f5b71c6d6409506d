import type { Backend } from '../backends/backend.ts';
import { DepotError, isKind } from '../backends/errors.ts';
import type { Location } from '../backends/location.ts';
import type { Config } from './config.ts';
import { oidAt } from './layout.ts';
import { MARKER, type Marker, readMarker, updateMarker, writeMarker } from './marker.ts';
import { parseOid } from './oid.ts';
import { openAt } from './open-store.ts';
import { probe } from './probe.ts';

export interface Creation {
  outcome: 'created' | 'adopted' | 'existing';
  marker: Marker;
  /** What an adopted store holds. */
  objects: number;
  bytes: number;
}

/**
 * Makes sure that a working store stands at a location: written to, read back and cleaned before anything else relies
 * on it. Running it twice is fine.
 * @param adopt turn a folder of objects that another adapter made (`aa/bb/<oid>`) into a store.
 * @throws DepotError `configuration` for a folder that holds something else.
 */
export async function createStore(location: Location, adopt: boolean, config: Config): Promise<Creation> {
  const backend = await openAt(location, '', config);
  const standing = await markerIfAny(backend, adopt);
  if (standing) {
    await examineStore(backend, standing);
    await probe(backend);
    return { outcome: 'existing', marker: standing, objects: 0, bytes: 0 };
  }
  const found = await survey(backend, adopt);
  if (found.objects > 0 && !adopt) throw refuse(backend, 'it holds LFS objects, and no lfs-depot.json', ADOPT);
  if (found.objects === 0 && found.foreign.length > 0) {
    const names = found.foreign.join(', ');
    if (found.foreign.some((name) => parseOid(name)))
      throw refuse(backend, `its objects are not laid out as aa/bb/<oid> (${names})`, FLAT);
    throw refuse(
      backend,
      `it holds other files (${names})`,
      `use a folder of its own: lfs-depot init ${backend.location}/lfs`,
    );
  }
  await backend.create();
  const findings = await backend.examine();
  backend.assume(findings);
  await probe(backend);
  const marker = await writeMarker(backend, findings);
  return { outcome: found.objects > 0 ? 'adopted' : 'created', marker, objects: found.objects, bytes: found.bytes };
}

/** Finds out anew what of the storage cannot be relied on, and keeps it in the marker. Resolves to whether that changed. */
export async function examineStore(backend: Backend, marker: Marker): Promise<boolean> {
  const findings = await backend.examine();
  backend.assume(findings);
  if (findings.move === marker.findings.move) return false;
  await updateMarker(backend, marker, findings);
  return true;
}

/** A damaged marker is an error; to adopt is to write it anew. */
async function markerIfAny(backend: Backend, adopt: boolean): Promise<Marker | undefined> {
  try {
    return await readMarker(backend);
  } catch (error) {
    if (isKind(error, 'no-store')) return undefined;
    if (!adopt || !isKind(error, 'corrupt')) throw error;
    await backend.remove(MARKER);
    return undefined;
  }
}

/** What operating systems and NAS boxes leave in every folder. */
const LITTER = /(^|\/)(\.DS_Store|\._[^/]*|Thumbs\.db|desktop\.ini|@eaDir\/.*|\.Trash[^/]*\/.*|\$RECYCLE\.BIN\/.*)$/i;

/** Counts all objects, or looks for the first one only. Names at most three files that are no objects. */
async function survey(backend: Backend, all: boolean) {
  const found = { objects: 0, bytes: 0, foreign: [] as string[] };
  try {
    for await (const { path, size } of backend.list('')) {
      if (oidAt(path)) {
        found.objects++;
        found.bytes += size;
        if (!all) break;
      } else if (!LITTER.test(path) && path !== MARKER && found.foreign.length < 3) {
        found.foreign.push(path);
        if (!all && found.foreign.length === 3) break;
      }
    }
  } catch (error) {
    if (!isKind(error, 'no-store')) throw error;
  }
  return found;
}

const ADOPT = 'if lfs-folderstore or git-lfs-webdav made it, run the same command with --adopt';
const FLAT = 'move each object to aa/bb/<oid> first, aa and bb being the first four digits of its name';

function refuse(backend: Backend, why: string, cure: string): DepotError {
  return new DepotError('configuration', { what: `cannot make a store at ${backend.location}`, why, cure });
}
