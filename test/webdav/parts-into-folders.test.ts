import { rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Findings } from '../../backends/backend.ts';
import { openWebdav } from '../../backends/webdav/webdav.ts';
import { webFor } from '../conformance/web.ts';
import { oidOf } from '../e2e/objects.ts';
import { isInstalled } from '../servers/installed.ts';
import { type Nextcloud, startNextcloud } from '../servers/nextcloud.ts';
import { PASSWORD, USER } from '../servers/server.ts';

/** More than one part. */
const SIZE = 70_000_000;
const ANCHOR = 'lfs-depot.json';
const MISSING = !isInstalled('sabre');

describe.skipIf(MISSING)(`an upload to Nextcloud in parts${MISSING ? ': sabre is not installed' : ''}`, () => {
  let cloud: Nextcloud;
  beforeAll(async () => {
    cloud = await startNextcloud();
  });
  afterAll(() => cloud?.stop());

  test.each<[string, string, Findings]>([
    ['the temp folder', 'renames', {}],
    ['the folder of the object, beside which uploads begin there,', 'copies', { move: 'copies' }],
  ])('makes %s when it is missing', async (_, name, findings) => {
    const location = `${cloud.url}/${name}`;
    const backend = openWebdav(location, { location, anchor: ANCHOR, temp: 'tmp', web: webFor(USER, PASSWORD) });
    await backend.create();
    await backend.write(ANCHOR, Buffer.from('{}'));
    backend.assume(findings);
    rmSync(join(cloud.root, name, 'tmp'), { recursive: true });

    const content = Buffer.alloc(SIZE, name);
    const sha256 = oidOf(content);
    const file = join(cloud.root, '..', 'source');
    writeFileSync(file, content);
    expect(await backend.put(`aa/bb/${sha256}`, file, { size: SIZE, sha256 })).toBe('created');
    expect(statSync(join(cloud.root, name, 'aa/bb', sha256)).size).toBe(SIZE);
    expect(await cloud.uploads()).toEqual([]);
  });
});
