// Hard links are refused by a fake, refuse-links.ts; the folder and everything else is real.

import { linkSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { describeBackend } from './conformance.ts';
import { folderStorage } from './folder-storage.ts';
import { asked } from './refuse-links.ts';
import { sourceIn } from './source.ts';
import { ANCHOR } from './storage.ts';

const REFUSE = pathToFileURL(join(import.meta.dirname, 'refuse-links.ts')).href;

describeBackend('a folder without hard links', () => folderStorage(tmpdir()), { oneCreator: false, preload: [REFUSE] });

test('links really are refused here, and are asked for once only', async () => {
  const local = mkdtempSync(join(tmpdir(), 'depot-links-'));
  const storage = folderStorage(local);
  try {
    writeFileSync(join(local, 'a'), 'x');
    expect(() => linkSync(join(local, 'a'), join(local, 'b'))).toThrow('refused by a test');
    const backend = storage.open();
    await backend.create();
    await backend.write(ANCHOR, Buffer.from('{}'));
    const before = asked.times;
    for (let index = 0; index < 5; index++) {
      const source = sourceIn(local, 10);
      expect(await backend.put(`aa/${index}`, source.file, source)).toBe('created');
    }
    expect(asked.times).toBe(before);
  } finally {
    storage.dispose();
    rmSync(local, { recursive: true });
  }
});
