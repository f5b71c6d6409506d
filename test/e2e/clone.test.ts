import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { filesBelow, Sandbox } from '../sandbox.ts';
import { expectSameWorktree, soundStore } from './objects.ts';

let box: Sandbox;
beforeEach(() => {
  box = new Sandbox();
});
afterEach(() => box.remove());

test('a plain git clone fetches the objects of a store, with no step in the clone', async () => {
  await box.team();
  box.write('alice/small.bin', 1000);
  box.write('alice/large.bin', 3_000_000);
  await box.push('alice');
  await box.git('.', 'clone', '-q', 'remote.git', 'bob');
  for (const name of ['small.bin', 'large.bin']) {
    expect(readFileSync(box.path('bob', name))).toEqual(readFileSync(box.path('alice', name)));
  }
});

test('a thousand small files arrive, and pushing them again changes nothing', async () => {
  const store = await box.team();
  for (let number = 0; number < 1000; number++) {
    box.write(`alice/folder ${number % 7}/${number}.bin`, 1 + ((number * 37) % 4000));
  }
  await box.push('alice');
  expect(soundStore(store)).toHaveLength(1000);

  await box.git('.', 'clone', '-q', 'remote.git', 'bob');
  expectSameWorktree(box.path('alice'), box.path('bob'));

  const before = filesBelow(store);
  await box.git('alice', 'lfs', 'push', '--all', 'origin');
  expect(filesBelow(store)).toEqual(before);
  soundStore(store);
});

test('one object under two names, and an empty file, arrive', async () => {
  const store = await box.team();
  const content = Buffer.from('the same in both');
  box.write('alice/one.bin', content);
  box.write('alice/two.bin', content);
  box.write('alice/empty.bin', '');
  await box.push('alice');
  expect(soundStore(store)).toHaveLength(1);
  await box.git('.', 'clone', '-q', 'remote.git', 'bob');
  expectSameWorktree(box.path('alice'), box.path('bob'));
});

test('a file that changes over several commits is fetched in each of its versions', async () => {
  const store = await box.team();
  const versions = ['first', 'second', 'third'];
  for (const text of versions) {
    box.write('alice/changing.bin', text);
    await box.push('alice', text);
  }
  expect(soundStore(store)).toHaveLength(3);
  await box.git('.', 'clone', '-q', 'remote.git', 'bob');
  for (const text of versions) {
    await box.git('bob', 'checkout', '-q', `:/${text}`);
    expect(readFileSync(box.path('bob/changing.bin'), 'utf8')).toBe(text);
  }
});
