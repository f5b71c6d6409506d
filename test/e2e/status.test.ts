import { mkdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PROGRAM, type Result, Sandbox } from '../sandbox.ts';
import { objectFile, oidOf } from './objects.ts';

/** A clone `alice` that has pushed one object, `a.bin`, to its store. */
let box: Sandbox;
let store: string;
let first: string;
beforeEach(async () => {
  box = new Sandbox();
  store = await box.team();
  first = add('a.bin', 500);
  await box.push('alice');
});
afterEach(() => box.remove());

/** Writes a file of random bytes into the clone. Returns its oid. */
function add(path: string, size: number, clone = 'alice'): string {
  return oidOf(readFileSync(box.write(join(clone, path), size)));
}

async function commit(clone = 'alice'): Promise<void> {
  await box.git(clone, 'add', '.');
  await box.git(clone, 'commit', '-qm', 'not pushed');
}

function run(...args: string[]): Promise<Result> {
  return runIn('alice', ...args);
}

function runIn(cwd: string, ...args: string[]): Promise<Result> {
  return box.run(PROGRAM, ['status', ...args], { cwd });
}

/** What is printed for people; `status` by itself finds no fault. */
async function shown(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await run(...args);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout;
}

// biome-ignore lint/suspicious/noExplicitAny: what a program finds in it is what is tested
async function json(...args: string[]): Promise<any> {
  return JSON.parse((await run('--json', ...args)).stdout);
}

async function expectComplete(...args: string[]): Promise<void> {
  expect(await run('--check', ...args)).toMatchObject({ status: 0, stdout: '', stderr: '' });
}

/** What `--check` says of the problem. */
async function problem(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await run('--check', ...args);
  expect({ status, stderr }).toEqual({ status: 1, stderr: '' });
  expect(stdout).not.toBe('');
  return stdout;
}

/** Types a command that the report names. */
async function type(report: string, command: RegExp, oid = ''): Promise<void> {
  const [found = 'nothing of the kind'] = command.exec(report) ?? [];
  await box.sh('alice', found.replace('<oid>', oid));
}

test('everything is in the store', async () => {
  const report = await shown();
  expect(report).toContain(`Store: ${store} (lfs.url in .lfsconfig): answers\n`);
  expect(report).toContain('HEAD (main): 1 object (500 bytes), 1 of them in the store\n');
  expect(report).toContain('A fresh clone would be complete.\n');
  await expectComplete();
  expect(await json()).toMatchObject({
    ok: true,
    store: { location: store, answers: true, trouble: null },
    objects: { count: 1, bytes: 500 },
    missing: [],
    freshClone: { complete: true, misses: [] },
  });
});

test('what is not pushed is named, with the command that brings it', async () => {
  const oid = add('sub/b.bin', 1234);
  await commit();
  const report = await shown();
  expect(report).toContain('2 objects (1.7 KB), 1 of them in the store\n  1 only in this clone: git lfs push');
  expect(report).toContain(`    ${oid.slice(0, 10)}     1.2 KB  sub/b.bin\n`);
  expect(report).toContain('A fresh clone would miss 1 file:\n');
  const brief = await problem();
  expect(brief).toContain('1 object (1.2 KB) of HEAD (main) is not in');
  expect(brief).toContain('sub/b.bin');
  expect((await json()).missing).toEqual([
    {
      oid,
      size: 1234,
      path: 'sub/b.bin',
      store: 'absent',
      where: 'clone',
      cure: `git lfs push --object-id origin ${oid}`,
    },
  ]);
  await type(report, /git lfs push --object-id origin <oid>/, oid);
  await expectComplete();
});

test('an older version that the store lost is missed by the history, and not by a fresh clone', async () => {
  add('a.bin', 600);
  await box.push('alice');
  rmSync(objectFile(store, first));
  rmSync(objectFile(box.path('alice/.git/lfs/objects'), first));
  const report = await shown();
  expect(report).toContain('  1 nowhere that can be seen from here: whoever has the file runs git lfs push');
  expect(report).toContain('A fresh clone would be complete.');
  expect(await problem()).toContain(first.slice(0, 10));
  expect((await json()).missing[0]).toMatchObject({ oid: first, path: 'a.bin', where: 'nowhere' });
});

test('an object of the wrong size is called damaged, and can be healed', async () => {
  truncateSync(objectFile(store, first), 100);
  const report = await shown();
  expect(report).toMatch(/a\.bin, damaged there\n/);
  expect((await json()).store).toMatchObject({ damaged: 1, absent: 0 });
  await problem();
  await type(report, /git lfs push --object-id origin <oid>/, first);
  await expectComplete();
});

test('a store that is away: nothing is said of what it has', async () => {
  renameSync(store, `${store} away`);
  const report = await shown();
  expect(report).toMatch(/Store: .* does not answer: .*\n {4}hint: /);
  expect(report).toContain('1 cannot be told: the store could not be asked');
  expect(report).toContain('Whether a fresh clone would have 1 file cannot be told');
  expect(report).not.toContain('would miss');
  expect(await problem()).toContain('it cannot be told whether clones get 1 object');
  expect((await json()).freshClone).toMatchObject({ complete: null, misses: [] });
});

test('a store that is not trusted is not asked, and the rest is told', async () => {
  await box.depot('.', 'trust', '--remove', store);
  const report = await shown();
  expect(report).toMatch(/not asked: lfs\.url in \.lfsconfig names it/);
  expect(report).toContain('HEAD (main): 1 object');
  expect(await problem()).toContain('will not open');
  await type(report, /lfs-depot trust \S+/);
  await expectComplete();
});

test('three pushes without the store: each object is named, and delivered', async () => {
  await box.depot('alice', 'offline', 'auto');
  renameSync(store, `${store} away`);
  const oids: string[] = [];
  for (const name of ['b.bin', 'c.bin', 'd.bin']) {
    oids.push(add(name, 700));
    await box.push('alice');
  }
  const away = await shown();
  expect(away).toContain('Offline mode: auto (local git config)');
  expect(away).toContain('  3 waiting on this computer: lfs-depot sync\n');
  for (const oid of oids) expect(away).toContain(oid.slice(0, 10));
  expect(away).toContain(`On this computer 3 objects (2.1 KB) wait for ${store},\n`);
  await problem();

  renameSync(`${store} away`, store);
  const back = await shown();
  expect(back).toContain('  3 waiting on this computer: lfs-depot sync\n');
  expect(back).toContain('A fresh clone would miss 3 files:\n');
  expect((await json()).waiting).toMatchObject([{ location: store, objects: 3, bytes: 2100 }]);
  await type(await problem(), /lfs-depot sync/);
  await expectComplete();
  await box.git('.', 'clone', '-q', 'remote.git', 'bob');
  expect(oidOf(readFileSync(box.path('bob/d.bin')))).toBe(oids[2]);
});

test('refs, all of them, and tags', async () => {
  await box.git('alice', 'checkout', '-q', '-b', 'side');
  const side = add('side.bin', 10);
  await commit();
  await box.git('alice', 'tag', 'v1');
  await box.git('alice', 'checkout', '-q', 'main');
  await expectComplete();
  await expectComplete('main');
  expect(await problem('side')).toContain('side.bin');
  expect(await problem('main', 'v1')).toContain('side.bin');
  expect((await json('--all')).missing).toMatchObject([{ oid: side }]);
  expect(await shown('--all')).toContain('A fresh clone would miss 1 file:');
  await box.git('alice', 'branch', '-qD', 'side');
  expect(await problem('--all')).toContain('all branches and tags');
  expect(await shown('--all')).toContain('A fresh clone would be complete.');
  const unknown = await run('nothing');
  expect(unknown).toMatchObject({ status: 1, stdout: '' });
  expect(unknown.stderr).toContain('cannot look at nothing: git knows no branch');
});

test('files that many branches share are listed once', async () => {
  const branch = async (name: string): Promise<void> => {
    const commit = await box.git('alice', 'commit-tree', '-p', 'HEAD', '-m', name, 'HEAD^{tree}');
    await box.git('alice', 'branch', name, commit.trim());
  };
  for (const name of ['one', 'two', 'three']) await branch(name);
  await box.git('alice', 'checkout', '-q', '-b', 'side');
  add('side.bin', 10);
  await commit();
  const GIT_TRACE = box.path('trace');
  const { stdout } = await box.run(PROGRAM, ['status', '--all'], { cwd: 'alice', env: { GIT_TRACE } });
  expect(stdout).toContain('A fresh clone would miss 1 file:');
  expect(readFileSync(GIT_TRACE, 'utf8').match(/built-in: git ls-tree/g)).toHaveLength(2);
});

test('the stash is not looked at: nobody pushes it', async () => {
  add('a.bin', 900);
  await box.git('alice', 'stash', '-q');
  await expectComplete('--all');
});

test('a subfolder, a second worktree, a detached HEAD, a bare repository', async () => {
  mkdirSync(box.path('alice/deep/er'), { recursive: true });
  await box.git('alice', 'worktree', 'add', '-q', '--detach', box.path('linked'));
  await box.git('alice', 'clone', '-q', '--bare', box.path('remote.git'), box.path('bare.git'));
  for (const [cwd, name] of Object.entries({
    'alice/deep/er': 'HEAD (main)',
    linked: 'HEAD (detached at ',
    'bare.git': 'HEAD (main)',
  })) {
    const { stdout, stderr } = await runIn(cwd);
    expect(stderr).toBe('');
    expect(stdout).toContain(name);
    expect(stdout).toContain('1 object (500 bytes), 1 of them in the store\n');
  }
  add('linked.bin', 10, 'linked');
  await commit('linked');
  expect((await runIn('linked', '--check')).status).toBe(1);
  expect((await runIn('linked', '--json')).stdout).toContain('"where": "clone"');
  await expectComplete();
});

test('a submodule is asked by itself', async () => {
  await box.git('.', 'init', '-q', '--bare', 'part.git');
  await box.git('.', 'clone', '-q', 'part.git', 'part');
  await box.git('part', 'commit', '-q', '--allow-empty', '-m', 'start');
  await box.git('part', 'push', '-q', 'origin', 'HEAD');
  await box.git('alice', 'submodule', '--quiet', 'add', box.path('part.git'), 'part');
  mkdirSync(box.path('stores'));
  const part = box.path('stores/part');
  await box.depot('alice/part', 'init', part);
  await box.git('alice/part', 'lfs', 'track', '*.bin');
  add('part/p.bin', 40);
  await box.push('alice/part');
  await box.push('alice');
  const { stdout } = await runIn('alice/part');
  expect(stdout).toContain(`Store: ${part} `);
  expect(stdout).toContain('1 object (40 bytes), 1 of them');
  expect(await shown()).toContain('1 object (500 bytes), 1 of them');
});

test('before the first commit; without a store; outside of a repository', async () => {
  await box.git('.', 'init', '-q', 'new');
  const bare = await runIn('new');
  expect(bare).toMatchObject({ status: 1, stdout: '' });
  expect(bare.stderr).toMatch(/cannot tell where the LFS objects .*\nhint: run: lfs-depot init <location>\n/);
  await box.git('new', 'config', 'lfs.url', `depot::${store}`);
  expect((await runIn('new')).stdout).toContain('HEAD (main): nothing was committed yet\n');
  expect(await runIn('new', '--check')).toMatchObject({ status: 0, stdout: '', stderr: '' });
  const outside = await runIn('home');
  expect(outside).toMatchObject({ status: 1, stdout: '' });
  expect(outside.stderr).toContain('cannot find a git repository');
});

test.each([
  [['--check', '--for-prune']],
  [['--for-prune', 'main']],
  [['--for-prune', '--all']],
  [['--all', 'main']],
  [['--pre-push', 'main']],
  [['--pre-push', '--all']],
  [['--pre-push', '--for-prune']],
  [['--unknown']],
])('%j is wrong usage', async (args) => {
  const { status, stdout, stderr } = await run(...args);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toContain('error: ');
});

test('names of files cannot forge lines of the report', async () => {
  add('grün "quoted".bin', 10);
  add('forged\nA fresh clone would be complete..bin', 11);
  add('turned\u202enib.bin', 12);
  await commit();
  const report = await shown();
  expect(report).toContain('grün "quoted".bin\n');
  expect(report).toContain('turned\\u{202e}nib.bin\n');
  expect(report).not.toContain('\u202e');
  expect(report).toContain('forged\\u{a}A fresh clone');
  expect(report).not.toMatch(/^A fresh clone would be complete/m);
});

test('long lists are cut, and JSON has all', async () => {
  for (let index = 0; index < 30; index++) add(`many/${index}.bin`, 10);
  await commit();
  expect((await shown()).match(/many\//g)).toHaveLength(40);
  expect(await shown()).toContain('    and 10 more (--json shows all)\n');
  expect((await problem()).split('\n').length).toBeLessThan(10);
  expect((await json()).missing).toHaveLength(30);
});

test('as a hook before each push, it lets through what the store has, and nothing else', async () => {
  const hook = box.path('alice/.git/hooks/pre-push');
  const check = `'${PROGRAM}' status --check || exit 1\n`;
  writeFileSync(hook, `#!/bin/sh\ngit lfs pre-push "$@" || exit 1\n${check}`, { mode: 0o755 });
  add('b.bin', 10);
  await box.push('alice');
  writeFileSync(hook, `#!/bin/sh\n${check}`);
  add('c.bin', 10);
  await commit();
  const refused = await box.run('git', ['push', '-q', 'origin', 'HEAD'], { cwd: 'alice' });
  expect(refused.status).toBe(1);
  expect(refused.stdout + refused.stderr).toContain('c.bin');
});

test('a partial clone says that it cannot tell, and how it could', async () => {
  await box.git('remote.git', 'config', 'uploadpack.allowFilter', 'true');
  await box.git('.', 'clone', '-q', '--no-checkout', '--filter=blob:none', `file://${box.path('remote.git')}`, 'part');
  const { status, stdout } = await runIn('part', '--check');
  expect(status).toBe(1);
  // All but .lfsconfig, which is read to find the store.
  expect(stdout).toContain('not in this clone, and not looked at: 2 files of HEAD (main)');
  expect((await runIn('part')).stdout).toContain('Whether a fresh clone would be complete cannot be told');
  const [command = 'nothing'] = /git fetch --refetch .*/.exec(stdout) ?? [];
  await box.sh('part', command);
  expect(await runIn('part', '--check')).toMatchObject({ status: 0, stdout: '' });
});
