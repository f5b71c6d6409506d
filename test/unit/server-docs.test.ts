import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');

test.each(['apache-lfs.conf', 'nginx-lfs.conf', 'nginx-proxy.conf'])(
  'docs/servers.md shows %s word for word as the tests start it',
  (name) => {
    const config = readFileSync(resolve(ROOT, 'test/servers/config', name), 'utf8').trimEnd();
    expect(readFileSync(resolve(ROOT, 'docs/servers.md'), 'utf8')).toContain(`\n${config}\n`);
  },
);
