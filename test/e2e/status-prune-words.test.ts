// A fake git-lfs that tells of a prune in other words than those that we know; all else is passed on to the real one.
import { readFileSync, rmSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PROGRAM, type Result, Sandbox } from '../sandbox.ts';
import { objectFile, oidOf } from './objects.ts';

let box: Sandbox;
let store: string;
let oid: string;
beforeEach(async () => {
  box = new Sandbox();
  store = await box.team();
  oid = oidOf(readFileSync(box.write('alice/a.bin', 500)));
  await box.push('alice');
});
afterEach(() => box.remove());

/** What `status --for-prune --json` finds where git-lfs says so of a prune. */
async function told(words: string): Promise<Result> {
  const real = (await box.sh('.', 'command -v git-lfs')).trim();
  const script = `#!/bin/sh\nif [ "$1" = prune ]; then printf '%s\\n' '${words}'; else exec '${real}' "$@"; fi\n`;
  box.write('bin/git-lfs', script);
  await box.ok('chmod', ['+x', box.path('bin/git-lfs')]);
  const env = { PATH: `${box.path('bin')}:${box.env.PATH}` };
  return box.run(PROGRAM, ['status', '--for-prune', '--json'], { cwd: 'alice', env });
}

test('numbers that leave something over, and no word of what: all that is here is looked at', async () => {
  const words = 'prune: 1 local objects, 0 retained, done.\nprune: 1 of them could go';
  expect(JSON.parse((await told(words)).stdout)).toMatchObject({ ok: true, objects: 1, all: true });
  rmSync(objectFile(store, oid));
  const lost = await told(words);
  expect(lost.status).toBe(1);
  expect(JSON.parse(lost.stdout)).toMatchObject({ ok: false, lost: [{ oid, answer: 'absent' }] });
});

test('all is retained, and more than is here: there is nothing to delete', async () => {
  rmSync(objectFile(store, oid));
  const words = 'prune: 1 local objects, 3 retained, done.';
  expect(JSON.parse((await told(words)).stdout)).toMatchObject({ ok: true, objects: 0, all: false });
});

test('more is announced than is named: all is looked at', async () => {
  rmSync(objectFile(store, oid));
  const words = 'prune: 1 local objects, 0 retained, done.\nprune: 1 files would be pruned (500 B)';
  expect((await told(words)).status).toBe(1);
});
