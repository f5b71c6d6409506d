import { constants, copyFileSync, mkdirSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PROGRAM, Sandbox } from '../sandbox.ts';
import { expectSameWorktree, soundStore } from './objects.ts';

let box: Sandbox;
beforeEach(() => {
  box = new Sandbox();
});
afterEach(() => box.remove());

/** Whatever means something to a shell, a URL, git config or JSON, a few in each name: every name costs two clones. */
const ODD_NAMES = [
  'two words',
  `it's "quoted" by \`id\` $HOME`,
  'grün 日本 😀',
  '#1 100% %41=A',
  ' back\\slash; [a] {b} *? & ~ ',
  '-dash',
];

test('files with odd names arrive', async () => {
  const store = await box.team();
  for (const name of ODD_NAMES) box.write(`alice/${name}/${name}.bin`, 500);
  await box.push('alice');
  expect(soundStore(store)).toHaveLength(ODD_NAMES.length);
  await box.git('.', 'clone', '-q', 'remote.git', 'bob');
  expectSameWorktree(box.path('alice'), box.path('bob'));
});

test.each(ODD_NAMES)(
  'a store may lie in a folder called %j, and a second person may trust and use it',
  async (name) => {
    const store = await box.team(box.path(name));
    box.write('alice/a.bin', 500);
    await box.push('alice');
    expect(soundStore(store)).toHaveLength(1);

    const bob = new Sandbox();
    try {
      await bob.depot('.', 'install');
      const refused = await bob.run('git', ['clone', '-q', box.path('remote.git'), 'bob']);
      const [, command = 'no command in the message'] = /run: (lfs-depot trust .*)$/m.exec(refused.stderr) ?? [];
      await bob.sh('bob', command);
      await bob.git('bob', 'reset', '-q', '--hard');
      expectSameWorktree(box.path('alice'), bob.path('bob'));
      expect(JSON.parse(await bob.depot('bob', 'doctor', '--json'))).toMatchObject({ ok: true });
      await bob.depot('.', 'trust', '--remove', store);
      expect(await bob.depot('.', 'trust', '--list')).toBe('No location is trusted yet.\n');
    } finally {
      bob.remove();
    }
  },
);

test.each(ODD_NAMES)('HOME and the program may lie in a folder called %j', async (name) => {
  const home = box.path(name, 'home');
  const program = box.path(name, 'lfs-depot');
  mkdirSync(home, { recursive: true });
  copyFileSync(PROGRAM, program, constants.COPYFILE_FICLONE);
  copyFileSync(box.path('home/.gitconfig'), box.path(name, 'home/.gitconfig'));
  box.env.HOME = home;
  await box.ok(program, ['install']);
  await box.git('.', 'init', '-q', '--bare', 'remote.git');
  await box.git('.', 'clone', '-q', 'remote.git', 'alice');
  await box.git('alice', 'lfs', 'track', '*.bin');
  await box.ok(program, ['init', '~/store'], { cwd: 'alice' });
  box.write('alice/a.bin', 500);
  await box.push('alice');
  expect(soundStore(box.path(name, 'home/store'))).toHaveLength(1);
  await box.git('.', 'clone', '-q', 'remote.git', 'bob');
  expectSameWorktree(box.path('alice'), box.path('bob'));
  const report = await box.run(program, ['doctor'], { cwd: 'bob' });
  expect(report.stdout).toContain(`✓ agent: ${program}, `);
  expect(report.status).toBe(0);
});
