import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PROGRAM, type Result, Sandbox } from '../sandbox.ts';

let box: Sandbox;
let store: string;
let mirror: string;
beforeEach(async () => {
  box = new Sandbox();
  store = await box.team();
  mirror = box.path('mirror');
});
afterEach(() => box.remove());

const add = (...args: string[]): Promise<Result> => box.run(PROGRAM, ['mirror', 'add', ...args], { cwd: 'alice' });
const list = (): Promise<string> => box.depot('alice', 'mirror', 'list');
const listed = async () => JSON.parse(await box.depot('alice', 'mirror', 'list', '--json'));
const committed = (): string => readFileSync(box.path('alice/.lfsdepot'), 'utf8');

function expectRefused({ status, stdout, stderr }: Result, why: string): void {
  expect([status, stdout]).toEqual([1, '']);
  expect(stderr).toContain(why);
  expect(stderr).toMatch(/\nhint: \S/);
}

test('add makes a store, trusts it, names it in .lfsdepot, and says what is next', async () => {
  const said = await box.depot('alice', 'mirror', 'add', mirror);
  expect(existsSync(`${mirror}/lfs-depot.json`)).toBe(true);
  expect(committed()).toBe(`[depot]\n\tmirror = ${mirror}\n`);
  expect(await box.depot('.', 'trust', '--list')).toContain(`${mirror}\t`);
  for (const next of ['git add .lfsdepot', 'lfs-depot sync', `lfs-depot trust ${mirror}`]) expect(said).toContain(next);
  expect(readFileSync(box.path('alice/.lfsconfig'), 'utf8')).not.toContain('mirror');
});

test('add names a mirror once, and a second one beside it', async () => {
  await box.depot('alice', 'mirror', 'add', mirror);
  expect(await box.depot('alice', 'mirror', 'add', `${mirror}/`)).toContain('In .lfsdepot already');
  await box.depot('alice', 'mirror', 'add', `${mirror} 2`);
  expect(committed()).toBe(`[depot]\n\tmirror = ${mirror}\n\tmirror = ${mirror} 2\n`);
});

test('list tells the store, the mirrors and how pushes go, for people and for programs', async () => {
  expect(await list()).toBe(`${store}\t(the store)\nThere is no mirror: lfs-depot mirror add <location> makes one.\n`);
  expect(await listed()).toEqual({ primary: store, mirrors: [], write: 'primary' });
  await box.depot('alice', 'mirror', 'add', mirror);
  await box.git('alice', 'config', '--global', '--add', 'depot.mirror', box.path('mine'));
  expect(await list()).toMatch(
    new RegExp(
      `^${store}\t\\(the store\\)\n${mirror}\t\\(mirror, .lfsdepot\\)\n.*mine\t\\(mirror, global git config\\)\n`,
    ),
  );
  expect(await list()).toContain('(depot.write = primary)');
  await box.git('alice', 'config', '--file', '.lfsdepot', 'depot.quorum', '2');
  expect(await list()).toContain('succeeds if 2 of them have it');
  await box.depot('.', 'trust', '--remove', mirror);
  expect(await list()).toMatch(new RegExp(`${mirror}\t\\(mirror, not used: .*\\)\n    → .*lfs-depot trust ${mirror}`));
  expect(await listed()).toEqual({
    primary: store,
    mirrors: [
      { location: box.path('mine'), from: 'global git config', used: true },
      { location: mirror, used: false, why: expect.any(String), cure: expect.stringContaining('lfs-depot trust') },
    ],
    write: 'all',
    quorum: 2,
  });
});

test('a mirror whose folder differs here is listed, trusted and removed as what it is here', async () => {
  await box.depot('alice', 'mirror', 'add', mirror);
  const here = box.path('mounted elsewhere');
  renameSync(mirror, here);
  await box.git('alice', 'config', '--global', `url.depot::${here}.insteadOf`, `depot::${mirror}`);
  await box.depot('alice', 'trust', '--remove', mirror);
  expect(await box.depot('alice', 'trust', '--mirrors')).toContain(here);
  expect((await listed()).mirrors).toEqual([{ location: here, from: '.lfsdepot', used: true }]);
  await box.depot('alice', 'mirror', 'remove', here);
  expect((await listed()).mirrors).toEqual([]);
});

test('list looks at no place', async () => {
  await box.depot('alice', 'mirror', 'add', mirror);
  for (const path of [store, mirror]) rmSync(path, { recursive: true });
  expect(await list()).toContain(mirror);
});

test('remove takes the mirror out of .lfsdepot and leaves its objects', async () => {
  for (const path of [mirror, `${mirror} 2`]) await box.depot('alice', 'mirror', 'add', path);
  expect(await box.depot('alice', 'mirror', 'remove', `${mirror}/`)).toContain('git add .lfsdepot');
  expect(committed()).toBe(`[depot]\n\tmirror = ${mirror} 2\n`);
  expect(existsSync(`${mirror}/lfs-depot.json`)).toBe(true);
  expectRefused(await box.run(PROGRAM, ['mirror', 'remove', mirror], { cwd: 'alice' }), 'none of that name is');
});

test('remove names the command for what the user has configured', async () => {
  await box.git('alice', 'config', 'depot.mirror', mirror);
  const refused = await box.run(PROGRAM, ['mirror', 'remove', mirror], { cwd: 'alice' });
  expectRefused(refused, 'it stands in local git config too');
  const [, command = 'no command'] = /hint: run: (.*)$/m.exec(refused.stderr) ?? [];
  await box.sh('alice', command);
  expect((await listed()).mirrors).toEqual([]);
});

test('the store itself is no mirror, under whatever name', async () => {
  for (const name of [store, `${store}/`, `file://${store}`, '../store']) {
    expectRefused(await add(name), 'it is the store itself');
  }
  symlinkSync(store, box.path('other name'));
  const { status, stderr } = await add(box.path('other name'));
  expect([status, stderr]).toEqual([1, expect.stringContaining(`it is the same store as ${store}, by another name`)]);
  expect(existsSync(box.path('alice/.lfsdepot'))).toBe(false);
  expect(await box.depot('.', 'trust', '--list')).not.toContain('other name');
});

test('a second name of another mirror is none, either', async () => {
  await box.depot('alice', 'mirror', 'add', mirror);
  symlinkSync(mirror, box.path('other name'));
  expect((await add(box.path('other name'))).stderr).toContain(`the same store as ${mirror}, by another name`);
  expect(committed()).not.toContain('other name');
});

test('while the store is away a mirror can be added', async () => {
  renameSync(store, `${store} (away)`);
  expect((await add(mirror)).status).toBe(0);
});

test.each(['inside', '.git/lfs/mirror'])('a mirror inside of the clone is refused: %s', async (path) => {
  expectRefused(await add(path), 'it lies inside this very repository');
  expect(existsSync(box.path('alice', path))).toBe(false);
});

test('in a bare repository there is nothing to write', async () => {
  for (const args of [
    ['add', mirror],
    ['remove', mirror],
  ]) {
    const refused = await box.run(PROGRAM, ['mirror', ...args], { cwd: 'remote.git' });
    expectRefused(refused, 'this is a bare repository');
  }
  expect(existsSync(mirror)).toBe(false);
});

test('a .lfsdepot that is a link, or a folder, is not written through', async () => {
  const victim = box.write('home/victim', 'as it was\n');
  symlinkSync(victim, box.path('alice/.lfsdepot'));
  for (const args of [
    ['add', mirror],
    ['remove', mirror],
  ]) {
    expectRefused(await box.run(PROGRAM, ['mirror', ...args], { cwd: 'alice' }), 'it is not a regular file');
  }
  expect(readFileSync(victim, 'utf8')).toBe('as it was\n');
  rmSync(box.path('alice/.lfsdepot'));
  mkdirSync(box.path('alice/.lfsdepot'));
  expectRefused(await add(mirror), 'it is not a regular file');
  expect(existsSync(mirror)).toBe(false);
});

test('settings that cannot be used are told before a store is made', async () => {
  await box.git('alice', 'config', 'depot.write', 'everywhere');
  expectRefused(await add(mirror), "'everywhere' is neither primary nor all");
  expect(existsSync(mirror)).toBe(false);
});

test('a push with a quorum of more places than there are is a mistake of the configuration; a clone works', async () => {
  await box.depot('alice', 'mirror', 'add', mirror);
  await box.git('alice', 'config', '--file', '.lfsdepot', 'depot.write', 'all');
  for (const name of ['a', 'b']) box.write(`alice/${name}.bin`, 500);
  await box.push('alice');
  await box.git('alice', 'config', '--file', '.lfsdepot', 'depot.quorum', '3');
  box.write('alice/c.bin', 500);
  await box.git('alice', 'add', '.');
  await box.git('alice', 'commit', '-qm', 'c');
  const push = await box.run('git', ['push', '-q', 'origin', 'HEAD'], { cwd: 'alice' });
  expect(push.status).toBe(1);
  expect(push.stderr).toContain(': [2] cannot push to as many places as depot.quorum says: it says 3, and there are 2');
  await box.git('alice', 'lfs', 'fetch', '--all');
  rmSync(box.path('alice/.git/lfs/objects'), { recursive: true });
  await box.git('alice', 'lfs', 'fetch', 'origin', 'HEAD~1');
});

test('a mirror that goes without is told of on the terminal, once', async () => {
  await box.depot('alice', 'mirror', 'add', mirror);
  await box.git('alice', 'config', '--file', '.lfsdepot', 'depot.write', 'all');
  for (let n = 0; n < 20; n++) box.write(`alice/${n}.bin`, 500);
  await box.git('alice', 'add', '.');
  await box.git('alice', 'commit', '-qm', 'objects');
  renameSync(mirror, `${mirror} (away)`);
  const { status, stdout } = await box.run('script', ['-qec', 'git push origin HEAD', '/dev/null'], { cwd: 'alice' });
  expect(status).toBe(0);
  expect(stdout.match(/lfs-depot: .* does not get what is pushed now .*sync/g)).toHaveLength(1);
  expect(stdout).toContain(mirror);
});

test('of a mirror that is not trusted the commands tell what allows it, and not how to mend a clone', async () => {
  await box.depot('alice', 'mirror', 'add', mirror);
  await box.depot('.', 'trust', '--remove', mirror);
  for (const args of [['mirror', 'list'], ['mirror', 'list', '--json'], ['status'], ['doctor']]) {
    const { stdout } = await box.run(PROGRAM, args, { cwd: 'alice' });
    expect(stdout).toContain(`run: lfs-depot trust ${mirror}`);
    expect(stdout).not.toContain('git checkout');
  }
});

test('a command that there is not is wrong usage, and those that there are are named', async () => {
  const unknown = await box.run(PROGRAM, ['mirror', 'bogus'], { cwd: 'alice' });
  expect([unknown.status, unknown.stdout]).toEqual([2, '']);
  expect(unknown.stderr).toContain("error: unknown command 'bogus' (there are add, remove, list)\n");
  expect((await box.run(PROGRAM, ['mirror', 'list', 'more'], { cwd: 'alice' })).status).toBe(2);
  expect(await box.depot('alice', 'mirror')).toBe(await list());
  expect(JSON.parse(await box.depot('alice', 'mirror', '--json'))).toEqual(await listed());
});

test('with a mirror, too, a setting that cannot be used is named with each object', async () => {
  await box.depot('alice', 'mirror', 'add', mirror);
  await box.git('alice', 'config', 'depot.retries', 'x');
  for (const name of ['a', 'b', 'c']) box.write(`alice/${name}.bin`, 500);
  const failed = await box.push('alice').then(
    () => '',
    (error: Error) => error.message,
  );
  const lines = failed.match(/^error transferring.*$/gm) ?? [];
  expect(lines).toHaveLength(3);
  for (const line of lines) expect(line).toContain("cannot use depot.retries: 'x' is not a whole number");
});
