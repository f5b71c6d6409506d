import { readFileSync } from 'node:fs';
import { openFolder } from '../../backends/folder/folder.ts';
import type { Deed } from './deed.ts';
import { ANCHOR, TEMP } from './storage.ts';

/**
 * Somebody else at the same store, as a process of its own: becomes the user that stdin names, does one thing, and
 * prints what came of it.
 */
const deed: Deed = JSON.parse(readFileSync(0, 'utf8'));
process.umask(deed.umask);
process.setgroups?.(deed.groups);
process.setgid?.(deed.groups[0] ?? deed.uid);
process.setuid?.(deed.uid);

const backend = openFolder(deed.root, { location: deed.root, anchor: ANCHOR, temp: TEMP, platform: process.platform });
try {
  process.stdout.write(JSON.stringify({ value: await outcomeOf(deed) }));
} catch (error) {
  const { kind, message, cure } = error as { kind?: string; message?: string; cure?: string };
  process.stdout.write(JSON.stringify({ kind: kind ?? 'not a DepotError', message, cure }));
}

async function outcomeOf({ verb, path, file, size, sha256, replace }: Deed): Promise<unknown> {
  switch (verb) {
    case 'create':
      await backend.create();
      return (await backend.write(ANCHOR, Buffer.from('{}'))) === 'created';
    case 'put':
      return backend.put(path, file, { size, sha256, replace });
    case 'remove':
      return backend.remove(path);
    case 'read':
      return (await backend.read(path))?.toString();
    case 'list': {
      const paths: string[] = [];
      for await (const entry of backend.list(path)) paths.push(entry.path);
      return paths.sort();
    }
  }
}
