import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Backend, CallOptions, Findings, PutOutcome } from '../backends/backend.ts';
import { DepotError } from '../backends/errors.ts';
import { newSha256 } from '../backends/sha256.ts';
import { shellWord } from '../backends/shell-word.ts';

/**
 * The file at the root that says "this is a store". No marker, no store: the empty folder under an unmounted share has
 * none, so nothing is ever written there, and nothing is said to be absent there.
 */
export interface Marker {
  /** Rises when an older program could no longer use the store rightly. */
  format: 1;
  /** Tells two stores apart, whatever their locations are called. */
  id: string;
  /** ISO 8601, UTC. */
  created: string;
  /** What cannot be relied on there, as `init` or `doctor` found out. */
  findings: Findings;
}

export const MARKER = 'lfs-depot.json';

/**
 * Reads the marker.
 * @throws DepotError `no-store` without one, `unsupported` for a store of a newer format, `corrupt` for other content.
 */
export async function readMarker(backend: Backend, options?: CallOptions): Promise<Marker> {
  const what = `cannot open ${backend.location}`;
  const content = await readOr(backend, what, options);
  let marker: Partial<Record<keyof Marker, unknown>> | null;
  try {
    // Without the mark that Notepad puts before UTF-8.
    marker = JSON.parse(content.toString('utf8').replace(/^\uFEFF/, ''));
  } catch {
    marker = null;
  }
  const format = marker?.format as number | undefined;
  if (typeof format === 'number' && format > 1) {
    const why = `the store has format ${format}, and this lfs-depot knows format 1 only`;
    throw new DepotError('unsupported', { what, why, cure: 'install a newer lfs-depot' });
  }
  if (format !== 1 || typeof marker?.id !== 'string' || typeof marker.created !== 'string') {
    const cure = `have it written anew; in a clone, run: lfs-depot init --adopt ${shellWord(backend.location)}`;
    throw new DepotError('corrupt', { what, why: `its ${MARKER} is damaged`, cure });
  }
  return { format, id: marker.id, created: marker.created, findings: findingsIn(marker.findings) };
}

/** Only what this program knows: a newer one may have found out more. */
function findingsIn(written: unknown): Findings {
  const move = (written as Findings | undefined)?.move;
  return move === 'untrusted' || move === 'copies' ? { move } : {};
}

/** Writes a marker if there is none, and gives the one that stands then: two people may make one store at once. */
export async function writeMarker(backend: Backend, findings: Findings = {}): Promise<Marker> {
  const { randomUUID } = await import('node:crypto');
  const marker: Marker = { format: 1, id: randomUUID(), created: new Date().toISOString(), findings };
  const outcome = await backend.write(MARKER, bytesOf(marker));
  return outcome === 'created' ? marker : readMarker(backend);
}

/**
 * Writes new findings into the marker, in place of the old ones. Where it cannot be replaced in one step, a failure may have
 * spoiled it: then the old one is put back, since without a marker there is no store for anybody.
 * @throws DepotError also `conflict`, when somebody else is writing it.
 */
export async function updateMarker(backend: Backend, marker: Marker, findings: Findings): Promise<void> {
  const before = await backend.read(MARKER);
  try {
    if ((await replaceMarker(backend, bytesOf({ ...marker, findings }))) === 'created') return;
  } catch (error) {
    const now = await backend.read(MARKER).catch(() => undefined);
    if (before && !now?.equals(before)) await replaceMarker(backend, before);
    throw error;
  }
  if ((await readMarker(backend)).findings.move === findings.move) return;
  const why = `somebody else is writing its ${MARKER}`;
  throw new DepotError('conflict', {
    what: `cannot note what ${backend.location} is good for`,
    why,
    cure: 'try again',
  });
}

async function replaceMarker(backend: Backend, bytes: Buffer): Promise<PutOutcome> {
  const folder = mkdtempSync(join(tmpdir(), 'lfs-depot-'));
  try {
    const file = join(folder, MARKER);
    writeFileSync(file, bytes);
    const sha256 = (await newSha256()).update(bytes).digest('hex');
    const replace = (await backend.stat(MARKER).catch(() => undefined))?.version;
    return await backend.put(MARKER, file, { size: bytes.length, sha256, replace });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function bytesOf({ findings, ...rest }: Marker): Buffer {
  const found = Object.keys(findings).length > 0 ? { findings } : {};
  return Buffer.from(`${JSON.stringify({ ...rest, ...found, about: ABOUT }, null, 2)}\n`);
}

/** The marker's bytes. That a store is not there is said of the store, not of the file that would show it. */
async function readOr(backend: Backend, what: string, options: CallOptions | undefined): Promise<Buffer> {
  try {
    const content = await backend.read(MARKER, options);
    if (content) return content;
  } catch (error) {
    if (!(error instanceof DepotError) || error.kind === 'cancelled') throw error;
    const { kind, why, temporary } = error;
    throw new DepotError(kind, { what, why, temporary, cure: kind === 'no-store' ? MOUNT : error.cure, cause: error });
  }
  const why = `not mounted, or not a store yet: there is no ${MARKER} in it`;
  throw new DepotError('no-store', { what, why, cure: MOUNT });
}

const MOUNT = 'connect or mount the disk or share that holds it, or check the address; then try again';
const ABOUT =
  'Git LFS objects kept by lfs-depot. Do not remove this file: without it the folder counts as not mounted.';
