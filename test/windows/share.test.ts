import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testOnWindows } from './windows-tests.ts';
import { makeWine, share, whyNoWine } from './wine.ts';

if (whyNoWine() === undefined) {
  makeWine();
  const folder = mkdtempSync(join(tmpdir(), 'depot-share-'));
  const name = `own-${process.pid}`;
  const unshare = share(name, folder);
  try {
    await testOnWindows('windows/inside/share.ts', { env: { SHARE_OF_ITS_OWN: `\\\\srv\\${name}` } });
  } finally {
    unshare();
    rmSync(folder, { recursive: true });
  }
} else await testOnWindows('windows/inside/share.ts');
