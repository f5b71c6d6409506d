import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Sandbox } from '../sandbox.ts';
import { oidOf, soundStore } from './objects.ts';

/** `whole.git` with a submodule `part` of `part.git`; each keeps its objects in a store of its own below `stores`. */
let alice: Sandbox;
let bob: Sandbox;
beforeEach(async () => {
  alice = new Sandbox();
  bob = new Sandbox();
  await alice.depot('.', 'install');
  await bob.depot('.', 'install');
  alice.write('stores/README', 'not a store itself');
  for (const name of ['part', 'whole']) {
    await alice.git('.', 'init', '-q', '--bare', `${name}.git`);
    await alice.git('.', 'clone', '-q', `${name}.git`, name);
    await alice.git(name, 'lfs', 'track', '*.bin');
    await alice.depot(name, 'init', alice.path('stores', name));
    alice.write(`${name}/${name}.bin`, `the content of ${name}`);
    if (name === 'whole') await alice.git('whole', 'submodule', '--quiet', 'add', alice.path('part.git'), 'part');
    await alice.push(name);
  }
});
afterEach(() => {
  alice.remove();
  bob.remove();
});

test('a clone with submodules fetches the objects of each from its own store', async () => {
  await bob.depot('.', 'trust', alice.path('stores'));
  await bob.git('.', 'clone', '-q', '--recurse-submodules', alice.path('whole.git'), 'whole');
  expect(readFileSync(bob.path('whole/whole.bin'), 'utf8')).toBe('the content of whole');
  expect(readFileSync(bob.path('whole/part/part.bin'), 'utf8')).toBe('the content of part');
});

test('a push from within a submodule goes to the store of the submodule', async () => {
  const oid = oidOf(readFileSync(alice.write('whole/part/new.bin', 500)));
  await alice.push('whole/part');
  expect(soundStore(alice.path('stores/part'))).toContain(oid);
  expect(soundStore(alice.path('stores/whole'))).not.toContain(oid);
});

test('the location of a submodule is not opened before it is trusted too', async () => {
  await bob.depot('.', 'trust', alice.path('stores/whole'));
  const args = ['clone', '-q', '--recurse-submodules', alice.path('whole.git'), 'whole'];
  const refused = await bob.run('git', args);
  expect(refused.status).not.toBe(0);
  expect(refused.stderr).toContain(`[2] will not open ${alice.path('stores/part')}`);
  expect(readFileSync(bob.path('whole/whole.bin'), 'utf8')).toBe('the content of whole');

  await bob.depot('.', 'trust', alice.path('stores/part'));
  await bob.git('whole', 'submodule', '--quiet', 'update', '--init', '--force');
  expect(readFileSync(bob.path('whole/part/part.bin'), 'utf8')).toBe('the content of part');
});
