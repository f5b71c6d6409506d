import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Backend } from '../backends/backend.ts';
import { DepotError } from '../backends/errors.ts';
import { fromSystemError } from '../backends/system-error.ts';

/**
 * Stores a small random file, reads it back and removes it again, through the same verbs as an object and out of every
 * reader's way, in the temp folder.
 * @throws DepotError the first thing that does not work.
 */
export async function probe(backend: Backend): Promise<void> {
  const content = randomBytes(64 * 1024);
  const sha256 = createHash('sha256').update(content).digest('hex');
  const path = `${backend.temp}/depot-probe-${randomBytes(8).toString('hex')}/${sha256}`;
  const local = newLocalFolder();
  try {
    const source = join(local, 'sent');
    const target = join(local, 'fetched');
    writeFileSync(source, content);
    await backend.put(path, source, { size: content.length, sha256 });
    try {
      await backend.get(path, target);
      if (!readFileSync(target).equals(content)) throw wrong(backend, 'a file read back differs from what was written');
    } finally {
      await backend.remove(path);
    }
    if (await backend.stat(path)) throw wrong(backend, 'a file that was removed is still there');
  } finally {
    rmSync(local, { recursive: true, force: true });
  }
}

function newLocalFolder(): string {
  try {
    return mkdtempSync(join(tmpdir(), 'lfs-depot-'));
  } catch (error) {
    const { kind, what, why } = fromSystemError(error, `cannot write to ${tmpdir()}, on this computer`);
    throw new DepotError(kind, { what, why, cure: 'set TMPDIR (TEMP on Windows) to a folder that can be written to' });
  }
}

function wrong(backend: Backend, why: string): DepotError {
  const cure = 'do not use this storage before somebody has found out why';
  return new DepotError('corrupt', { what: `cannot trust ${backend.location} with data`, why, cure });
}
