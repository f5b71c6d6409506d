import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { filesBelow, PROGRAM, type Result, Sandbox } from '../sandbox.ts';
import { type ApacheServer, startApache } from '../servers/apache.ts';
import { isInstalled } from '../servers/installed.ts';
import { startNginx } from '../servers/nginx.ts';
import { type DavServer, PASSWORD, USER } from '../servers/server.ts';
import { expectSameWorktree, objectFile, oidOf, soundStore } from './objects.ts';
import { hurry, knowPassword, webTeam } from './web-team.ts';

const NO_APACHE = !isInstalled('apache');
const NO_NGINX = !isInstalled('nginx');
const MARKER = 'lfs-depot.json';

let box: Sandbox;
beforeEach(async () => {
  box = new Sandbox();
  await hurry(box);
});
afterEach(() => box.remove());

const depot = (cwd: string, ...args: string[]): Promise<Result> => box.run(PROGRAM, args, { cwd });

/** An empty clone `alice` of an empty remote, lfs-depot installed, the password of the server known. */
async function emptyClone(url: string): Promise<void> {
  await knowPassword(box, url);
  await box.depot('.', 'install');
  await box.git('.', 'init', '-q', '--bare', 'remote.git');
  await box.git('.', 'clone', '-q', 'remote.git', 'alice');
  await box.git('alice', 'lfs', 'track', '*.bin');
}

/** Runs an init that is refused, and checks that it wrote no setting. */
async function refused(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await depot('alice', 'init', ...args);
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toMatch(/^error: [^\n]+\nhint: [^\n]+\n$/);
  expect(existsSync(box.path('alice/.lfsconfig'))).toBe(false);
  expect(readFileSync(box.path('home/.gitconfig'), 'utf8')).not.toContain('trusted');
  return stderr;
}

describe.skipIf(NO_APACHE)(`a store on Apache${NO_APACHE ? ': it is not installed' : ''}`, () => {
  let server: ApacheServer;
  beforeAll(async () => {
    server = await startApache();
  });
  afterAll(() => server?.stop());

  /** A place of its own for each test: on the web, and on the server's disk. */
  let count = 0;
  let url: string;
  let root: string;
  beforeEach(() => {
    const name = `art-${++count}`;
    url = `${server.url}/${name}`;
    root = join(server.root, name);
  });

  function plant(path: string, content: string): void {
    const file = join(root, path);
    const made: string[] = [];
    for (let folder = dirname(file); !existsSync(folder); folder = dirname(folder)) made.push(folder);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    for (const each of [...made, file]) server.adopt(each);
  }

  test('is made of what git-lfs-webdav has left there, by init --adopt', async () => {
    await emptyClone(url);
    const contents = ['one', 'two', 'three'];
    const oids = contents.map((content) => oidOf(Buffer.from(content)));
    for (const [index, oid] of oids.entries()) plant(objectFile('', oid), contents[index] ?? '');
    expect(await refused(url)).toContain('run the same command with --adopt');
    expect(filesBelow(root)).toHaveLength(3);

    expect(await box.depot('alice', 'init', '--adopt', url)).toContain(
      `Adopted a store of 3 objects, 0.0 MB: ${url}\n`,
    );
    expect(soundStore(root)).toEqual([...oids].sort());
    for (const content of contents) box.write(`alice/${content}.bin`, content);
    await box.push('alice');
    await box.git('.', 'clone', '-q', 'remote.git', 'bob');
    expectSameWorktree(box.path('alice'), box.path('bob'));
  });

  test('is not made of a folder with other files, which stay as they are', async () => {
    await emptyClone(url);
    plant('letter.txt', 'dear');
    for (const options of [[], ['--adopt']]) {
      const said = await refused(...options, url);
      expect(said).toContain('it holds other files (letter.txt)');
      expect(filesBelow(root)).toEqual(['letter.txt']);
    }
    const [, command = 'no command'] = /: (lfs-depot init .*)$/m.exec(await refused(url)) ?? [];
    await box.sh('alice', command);
    expect(soundStore(join(root, 'lfs'))).toEqual([]);
  });

  test('is not made where no folder could hold it, and the message says what to make', async () => {
    await emptyClone(url);
    const said = await refused(`${url}/in/between`);
    expect(said).toContain('the folder that should hold it does not exist');
    expect(existsSync(root)).toBe(false);
  });

  test('is made once by two people at once', async () => {
    await emptyClone(url);
    for (const name of ['first', 'second']) await box.git('.', 'init', '-q', name);
    await Promise.all(['first', 'second'].map((name) => box.depot(name, 'init', url)));
    expect(soundStore(root)).toEqual([]);
    for (const name of ['first', 'second']) {
      await box.git(name, 'lfs', 'track', '*.bin');
      await box.git('.', 'init', '-q', '--bare', `${name}.git`);
      await box.git(name, 'remote', 'add', 'origin', box.path(`${name}.git`));
      box.write(`${name}/${name}.bin`, name);
      await box.push(name);
    }
    expect(soundStore(root)).toHaveLength(2);
  });

  test('is found again by a second init, which changes nothing', async () => {
    await webTeam(box, url);
    const marker = readFileSync(join(root, MARKER), 'utf8');
    expect(await box.depot('alice', 'init', url)).toContain(`Found the store: ${url}\n`);
    expect(readFileSync(join(root, MARKER), 'utf8')).toBe(marker);
    expect(soundStore(root)).toEqual([]);
  });

  test('without its marker is neither read nor written, and doctor tells how to mend it', async () => {
    await webTeam(box, url);
    box.write('alice/a.bin', 1000);
    await box.push('alice');
    renameSync(join(root, MARKER), box.path('marker'));
    const before = filesBelow(root);
    box.write('alice/b.bin', 1000);
    await box.git('alice', 'add', '.');
    await box.git('alice', 'commit', '-qm', 'b');
    const push = await box.run('git', ['push', '-q', 'origin', 'HEAD'], { cwd: 'alice' });
    const clone = await box.run('git', ['clone', '-q', 'remote.git', 'bob']);
    for (const { status, stderr } of [push, clone]) {
      expect(status).not.toBe(0);
      expect(stderr).toContain(`[3] cannot open ${url}: not mounted, or not a store: there is no ${MARKER} in it\n`);
      expect(stderr).toMatch(/hint: .*check the address/);
    }
    expect(filesBelow(root)).toEqual(before);

    const { status, stdout } = await depot('alice', 'doctor');
    expect(status).toBe(1);
    const [, command = 'no command'] = /run: (lfs-depot init --adopt .*)$/m.exec(stdout) ?? [];
    await box.sh('alice', command);
    await box.git('alice', 'push', '-q', 'origin', 'HEAD');
    expect(soundStore(root)).toHaveLength(2);
  });

  describe('by doctor', () => {
    const BAD = '✗ store: ';

    test('is told to be well, at an https: address that is named', async () => {
      const secure = url.replace(server.url, server.tlsUrl);
      await box.git('.', 'config', '--global', 'http.sslCAInfo', server.certificates.ca);
      await webTeam(box, secure);
      const report = await box.depot('.', 'doctor', secure);
      expect(report).not.toContain('✗');
      expect(report).toContain(`✓ location: ${secure}, as you named it\n`);
      for (const link of ['store', 'moving', 'writing and reading', 'free space']) {
        expect(report).toContain(`✓ ${link}: `);
      }
      expect(report).toMatch(/\nAll is well\.\n$/);
      expect(soundStore(root)).toEqual([]);
    });

    test.each<[string, () => string, string | RegExp]>([
      ['a folder that is no store', () => server.url, `there is no ${MARKER} in it`],
      ['a folder that is not there', () => `${server.url}/nowhere`, `there is no ${MARKER} in it`],
      ['an address of no WebDAV', () => new URL(server.url).origin, `there is no ${MARKER} in it`],
      ['a port on which nothing listens', () => 'http://127.0.0.1:9/lfs', /ECONNREFUSED.*\n.*nothing listens there/],
    ])('is told from %s', async (_, at, why) => {
      await box.depot('.', 'install');
      await knowPassword(box, server.url);
      const { status, stdout } = await depot('.', 'doctor', at());
      expect(status).toBe(1);
      expect(stdout).toContain(`${BAD}cannot open ${at()}: `);
      expect(stdout.slice(stdout.indexOf(BAD))).toMatch(why);
      expect(stdout).toMatch(/ {4}→ \S/);
    });

    test('is told from one that git knows no password for', async () => {
      await box.depot('.', 'install');
      const { status, stdout } = await depot('.', 'doctor', url);
      expect(status).toBe(1);
      expect(stdout).toContain(`${BAD}cannot open ${url}: the server ("LFS") asks who you are`);
      expect(stdout).toContain(`    → log in: lfs-depot login ${url}\n`);
    });

    test('has what its marker says of the server put right', async () => {
      await webTeam(box, url);
      const marker = JSON.parse(readFileSync(join(root, MARKER), 'utf8'));
      writeFileSync(join(root, MARKER), JSON.stringify({ ...marker, findings: { move: 'untrusted' } }));
      const report = await box.depot('alice', 'doctor');
      expect(report).toContain('✓ moving: the server renames files as it should (new, and noted in lfs-depot.json)\n');
      expect(JSON.parse(readFileSync(join(root, MARKER), 'utf8'))).toEqual(marker);
    });
  });

  describe('by trust', () => {
    /** Somebody else, who clones what Alice has pushed. */
    let bob: Sandbox;
    beforeEach(async () => {
      url = url.replace(server.url, server.tlsUrl);
      bob = new Sandbox();
      for (const each of [box, bob])
        await each.git('.', 'config', '--global', 'http.sslCAInfo', server.certificates.ca);
      await webTeam(box, url);
      box.write('alice/a.bin', 1000);
      await box.push('alice');
      await bob.depot('.', 'install');
      await knowPassword(bob, url, USER, PASSWORD);
    });
    afterEach(() => bob.remove());

    const clone = (name: string): Promise<Result> => bob.run('git', ['clone', '-q', box.path('remote.git'), name]);

    test('is opened in a clone where its address, or the start of it, is trusted', async () => {
      const { origin } = new URL(url);
      const { stderr } = await clone('refused');
      expect(stderr).toContain(`[2] will not open ${url}: lfs.url in .lfsconfig names it`);
      expect(stderr).toContain(`lfs-depot trust ${url}\n`);
      for (const trusted of [url, `${origin}/lfs`, `${origin}/lfs/`, origin]) {
        await bob.depot('.', 'trust', trusted);
        const name = `of ${trusted.length}`;
        expect(await clone(name)).toMatchObject({ status: 0 });
        expectSameWorktree(box.path('alice'), bob.path(name));
        await bob.depot('.', 'trust', '--remove', trusted);
      }
    });

    test('is not opened for trust in another scheme, host, port, or in a part of a name', async () => {
      const { host, port, pathname } = new URL(url);
      const others = [
        `http://${host}${pathname}`,
        `https://localhost:${port}${pathname}`,
        `https://127.0.0.1${pathname}`,
        url.slice(0, -1),
        `${url}/inner`,
        `${url}0`,
      ];
      for (const other of others) await bob.depot('.', 'trust', other);
      const { status, stderr } = await clone('refused');
      expect(status).not.toBe(0);
      expect(stderr).toContain(`[2] will not open ${url}`);
    });
  });
});

describe.skipIf(NO_NGINX)(`a store on nginx without MOVE${NO_NGINX ? ': it is not installed' : ''}`, () => {
  let server: DavServer;
  beforeEach(async () => {
    server = await startNginx({ withoutMove: true });
  });
  afterEach(() => server.stop());

  test('has that noted in its marker, works, heals, and doctor tells it', async () => {
    const root = join(server.root, 'art');
    await webTeam(box, `${server.url}/art`);
    expect(JSON.parse(readFileSync(join(root, MARKER), 'utf8'))).toMatchObject({ findings: { move: 'untrusted' } });
    const [small, large] = [1, 3_000_000].map((size) => oidOf(readFileSync(box.write(`alice/${size}.bin`, size))));
    await box.push('alice');
    expect(soundStore(root)).toEqual([small, large].sort());
    await box.git('.', 'clone', '-q', 'remote.git', 'bob');
    expectSameWorktree(box.path('alice'), box.path('bob'));

    writeFileSync(objectFile(root, large ?? ''), 'damaged');
    await box.git('alice', 'lfs', 'push', '--all', 'origin');
    expect(soundStore(root)).toEqual([small, large].sort());

    const { status, stdout } = await depot('alice', 'doctor');
    expect(status).toBe(1);
    expect(stdout).toMatch(/^✗ moving: the server cannot move files safely: .*\n {4}→ .*method MOVE/m);
    expect(stdout).toContain('✓ writing and reading: ');
    expect(soundStore(root)).toEqual([small, large].sort());
  });
});
