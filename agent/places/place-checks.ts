import { DepotError } from '../../backends/errors.ts';
import { openFolder } from '../../backends/folder/folder.ts';
import type { Config } from '../config.ts';
import type { Endpoint } from '../endpoint.ts';
import { readMarker } from '../marker.ts';
import { probe } from '../probe.ts';
import type { Finding } from '../setup-checks.ts';
import { sizeText } from './amount.ts';
import { isCacheFolder, TAG } from './cache-folder.ts';
import { cacheSettings } from './cache-settings.ts';
import { offlineMode } from './offline.ts';
import type { Place } from './place.ts';
import { placesOf } from './places.ts';
import { spoolsIn } from './spool.ts';

// What doctor looks at beside the store itself.

/**
 * Each mirror, tried as the store is.
 * @param base see `placesOf`.
 */
export async function checkMirrors(endpoint: Endpoint, config: Config, base: string): Promise<Finding[]> {
  const { mirrors, refused } = placesOf(endpoint, config, base);
  const unused = refused.map(({ text, error }) => ({
    subject: 'mirror',
    ok: false,
    detail: `${text} is not used: ${error.why}`,
    cure: error.cure,
  }));
  return [...(await Promise.all(mirrors.map(checkMirror))), ...unused];
}

async function checkMirror(mirror: Place): Promise<Finding> {
  try {
    const { backend } = await mirror.open();
    await probe(backend);
    const { id } = await readMarker(backend);
    return {
      subject: 'mirror',
      ok: true,
      detail: `${mirror.name}, id ${id}: an object was stored, read back and removed`,
    };
  } catch (error) {
    if (!(error instanceof DepotError)) throw error;
    return { subject: 'mirror', ok: false, detail: error.message, cure: error.cure };
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
  const mode = offlineMode(config);
  if (mode !== 'on') return { subject, ok: true, detail: 'nothing waits on this computer' };
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
    if (!(error instanceof DepotError)) throw error;
    return { subject, ok: false, detail: error.message, cure: error.cure };
  }
}
