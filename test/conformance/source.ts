import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A local file to send, with what is to be said about it. */
export interface Source {
  file: string;
  content: Buffer;
  size: number;
  sha256: string;
}

export function hashOf(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

/** A new local file with that content, or of that many random bytes. */
export function sourceIn(folder: string, content: Buffer | string | number): Source {
  const bytes = typeof content === 'number' ? randomBytes(content) : Buffer.from(content);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `source-${randomBytes(6).toString('hex')}`);
  writeFileSync(file, bytes);
  return { file, content: bytes, size: bytes.length, sha256: hashOf(bytes) };
}
