import { DepotError } from '../../backends/errors.ts';
import { openFolder } from '../../backends/folder/folder.ts';
import { shellWord } from '../../backends/shell-word.ts';
import { isCacheFolder, TAG } from '../cache/folder.ts';
import { cacheSettings } from '../cache/settings.ts';
import type { Config } from '../config.ts';
import type { Endpoint } from '../endpoint.ts';
import { probe } from '../probe.ts';
import type { Finding } from '../setup-checks.ts';
import { sizeText } from '../spool/amount.ts';
import { offlineMode } from '../spool/offline.ts';
import { spoolsIn } from '../spool/spool.ts';
import { cureByTheWay } from '../trust.ts';
import type { Place } from './place.ts';
import { type Places, placesOf } from './places.ts';

// What doctor looks at beside the store itself.

/**
 * Each mirror, tried as the store is.
 * @param base see `placesOf`.
 */
export async function checkMirrors(endpoint: Endpoint, config: Config, base: string): Promise<Finding[]> {
  const places = placesOf(endpoint, config, base);
  const { primary, mirrors, refused } = places;
  const unused = refused.map(({ text, error }) => ({
    subject: 'mirror',
    ok: false,
    detail: `${text} is not used: ${error.why}`,
    cure: cureByTheWay(error),
  }));
  const tried = await Promise.all(mirrors.map(checkMirror));
  return [...tried, ...(await twins([primary, ...mirrors])), ...unused, ...checkRule(places)];
}

/** Only a push reads the rule, and fails for a mistake in it. */
function checkRule(places: Places): Finding[] {
  try {
    const { quorum = 1 } = places.rule;
    const count = 1 + places.mirrors.length;
    if (quorum <= count) return [];
    const detail = `depot.quorum wants ${quorum} places, and there are ${count}: every push will fail`;
    return [{ subject: 'mirror', ok: false, detail, cure: 'lfs-depot mirror add <location>; or lower depot.quorum' }];
  } catch (error) {
    return [wrong('mirror', error)];
  }
}

function wrong(subject: string, error: unknown): Finding {
  if (!(error instanceof DepotError)) throw error;
  return { subject, ok: false, detail: error.message, cure: error.cure };
}

/** Places that are one store by two names: a copy that one takes for a second. */
async function twins(places: Place[]): Promise<Finding[]> {
  const seen = new Map<string, Place>();
  const found: Finding[] = [];
  for (const place of places) {
    const id = await place.open().then(
      (store) => store.id,
      () => undefined,
    );
    const twin = id === undefined ? undefined : seen.get(id);
    if (id !== undefined) seen.set(id, twin ?? place);
    if (!twin) continue;
    const detail = `${place.name} is the same store as ${twin.name}, by another name: it is no second copy`;
    const cure = `lfs-depot mirror remove ${shellWord(place.name)}`;
    found.push({ subject: 'mirror', ok: false, detail, cure });
  }
  return found;
}

async function checkMirror(mirror: Place): Promise<Finding> {
  try {
    const { backend, id } = await mirror.open();
    await probe(backend);
    return {
      subject: 'mirror',
      ok: true,
      detail: `${mirror.name}, id ${id}: an object was stored, read back and removed`,
    };
  } catch (error) {
    return wrong('mirror', error);
  }
}

/** Whether something waits on this computer that colleagues cannot have yet. */
export async function checkSpools(commonDir: string, config: Config): Promise<Finding> {
  const subject = 'offline';
  const spools = await spoolsIn(commonDir);
  if (spools.length > 0) {
    const detail = `objects wait on this computer for ${spools.map(({ location }) => location).join(' and ')}`;
    return { subject, ok: false, detail, cure: 'lfs-depot sync' };
  }
  try {
    if (offlineMode(config) !== 'on') return { subject, ok: true, detail: 'nothing waits on this computer' };
  } catch (error) {
    return wrong(subject, error);
  }
  const detail = 'offline mode is on: what you push stays on this computer';
  return { subject, ok: false, detail, cure: 'lfs-depot offline off' };
}

/** Undefined where there is none. */
export async function checkCache(config: Config): Promise<Finding | undefined> {
  const subject = 'cache';
  try {
    const settings = await cacheSettings(config);
    if (!settings) return undefined;
    const { folder, bound } = settings;
    const backend = openFolder(folder, { location: folder, anchor: TAG, temp: 'tmp', platform: process.platform });
    const stands = await isCacheFolder(backend, folder);
    return { subject, ok: true, detail: `${folder}, up to ${sizeText(bound)}${stands ? '' : '; empty yet'}` };
  } catch (error) {
    return wrong(subject, error);
  }
}
