import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Sandbox } from '../sandbox.ts';
import { expectSameWorktree, objectFile, oidOf, soundStore } from './objects.ts';

let box: Sandbox;
let store: string;
beforeEach(async () => {
  box = new Sandbox();
  store = await box.team();
  await box.git('alice', 'push', '-q', 'origin', 'HEAD');
});
afterEach(() => box.remove());

test('two clones that push the same and different objects at once both succeed', async () => {
  await box.git('.', 'clone', '-q', 'remote.git', 'bob');
  const expected: string[] = [];
  const write = (clone: string, name: string, content: Buffer): void => {
    expected.push(oidOf(content));
    box.write(`${clone}/${name}.bin`, content);
  };
  for (let round = 0; round < 4; round++) {
    for (let number = 0; number < 20; number++) {
      const shared = randomBytes(number === 0 ? 3_000_000 : 100 + number * 1000);
      for (const clone of ['alice', 'bob']) {
        write(clone, `shared ${round}.${number}`, shared);
        write(clone, `own ${round}.${number}`, randomBytes(500));
      }
    }
    for (const clone of ['alice', 'bob']) {
      await box.git(clone, 'add', '.');
      await box.git(clone, 'commit', '-qm', `round ${round}`);
    }
    await Promise.all(['alice', 'bob'].map((clone) => box.git(clone, 'push', '-q', 'origin', `HEAD:${clone}`)));
    expect(soundStore(store)).toEqual([...new Set(expected)].sort());
  }
  for (const clone of ['alice', 'bob']) {
    await box.git('.', 'clone', '-q', '-b', clone, 'remote.git', `again ${clone}`);
    expectSameWorktree(box.path(clone), box.path(`again ${clone}`));
  }
});

test('several clones at once all arrive', async () => {
  for (let number = 0; number < 30; number++) box.write(`alice/${number}.bin`, 20_000);
  await box.push('alice');
  const clones = ['one', 'two', 'three', 'four'];
  await Promise.all(clones.map((clone) => box.git('.', 'clone', '-q', 'remote.git', clone)));
  for (const clone of clones) expectSameWorktree(box.path('alice'), box.path(clone));
});

test('two fetches at once in one clone both succeed', async () => {
  for (let number = 0; number < 30; number++) box.write(`alice/${number}.bin`, 20_000);
  await box.push('alice');
  await box.ok('git', ['clone', '-q', 'remote.git', 'bob'], { env: { GIT_LFS_SKIP_SMUDGE: '1' } });
  await Promise.all([1, 2].map(() => box.git('bob', 'lfs', 'fetch')));
  await box.git('bob', 'lfs', 'checkout');
  expectSameWorktree(box.path('alice'), box.path('bob'));
});

test('two people who make one store at once get one store', async () => {
  for (const name of ['first', 'second']) await box.git('.', 'init', '-q', name);
  const made = box.path('made at once');
  await Promise.all(['first', 'second'].map((name) => box.depot(name, 'init', made)));
  expect(soundStore(made)).toEqual([]);
  for (const name of ['first', 'second']) {
    await box.git(name, 'lfs', 'track', '*.bin');
    await box.git('.', 'init', '-q', '--bare', `${name}.git`);
    await box.git(name, 'remote', 'add', 'origin', box.path(`${name}.git`));
    box.write(`${name}/${name}.bin`, name);
    await box.push(name);
  }
  expect(soundStore(made)).toHaveLength(2);
});

test('two clones that heal the same damaged objects at once both succeed', async () => {
  for (let number = 0; number < 25; number++) box.write(`alice/${number}.bin`, 2000);
  await box.push('alice');
  await box.git('.', 'clone', '-q', 'remote.git', 'bob');
  const oids = soundStore(store);
  for (let round = 0; round < 3; round++) {
    for (const oid of oids) writeFileSync(objectFile(store, oid), Buffer.alloc(round === 0 ? 2000 : 77));
    await Promise.all(['alice', 'bob'].map((clone) => box.git(clone, 'lfs', 'push', '--all', 'origin')));
    expect(soundStore(store)).toEqual(oids);
  }
});
