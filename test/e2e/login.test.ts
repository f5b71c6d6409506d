import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PROGRAM, type Result, type RunOptions, Sandbox } from '../sandbox.ts';

let box: Sandbox;
let server: Server;
/** Who gets in; undefined: everybody. */
let accounts: Record<string, string> | undefined;
/** The Authorization header of each request, '' for none. */
let seen: string[];
let url: string;
let host: string;

beforeEach(async () => {
  box = new Sandbox();
  accounts = { alice: 'hunter2' };
  seen = [];
  server = createServer((request, response) => {
    const sent = request.headers.authorization ?? '';
    seen.push(sent);
    const [name = '', password = ''] = Buffer.from(sent.slice('Basic '.length), 'base64').toString().split(':');
    if (accounts && (sent === '' || accounts[name] !== password)) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="art"' }).end();
      return;
    }
    response.writeHead(207, { 'content-type': 'application/xml' });
    response.end(
      `<d:multistatus xmlns:d="DAV:"><d:response><d:href>${request.url}</d:href><d:propstat><d:prop><d:resourcetype>` +
        '<d:collection/></d:resourcetype></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>' +
        '</d:multistatus>',
    );
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  url = `http://${host}/lfs/art`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
  box.remove();
});

const depot = (args: string[], options?: RunOptions): Promise<Result> => box.run(PROGRAM, args, options);
const helper = (value: string) => box.git('.', 'config', '--global', 'credential.helper', value);
const KEPT = 'home/.git-credentials';
const kept = (): string => (existsSync(box.path(KEPT)) ? readFileSync(box.path(KEPT), 'utf8') : '');
/** A credential as `git credential-store` writes it. */
const line = (name: string, password: string) => `http://${name}:${password}@${host.replace(':', '%3a')}\n`;
const headersSent = () => seen.filter((header) => header !== '');

/** A person in front of git's question, who types these. */
async function person(name: string, password: string): Promise<NodeJS.ProcessEnv> {
  const file = box.write(
    'askpass',
    `#!/bin/sh\necho "$1" >>'${box.path('questions')}'\ncase "$1" in Username*) echo '${name}';; *) echo '${password}';; esac\n`,
  );
  await box.ok('chmod', ['+x', file]);
  return { GIT_ASKPASS: file };
}
const questions = (): string => (existsSync(box.path('questions')) ? readFileSync(box.path('questions'), 'utf8') : '');

/** Status 1, one error with a hint, and no password in any of it. */
function expectError(result: Result, message: string | RegExp): void {
  expect(result.stderr).toMatch(message);
  expect(result.stderr).toMatch(/^error: .+\nhint: /m);
  expect(result.status).toBe(1);
  expect(result.stdout + result.stderr).not.toMatch(/hunter\d/);
}

describe('login', () => {
  test('asks as git does, checks once, and lets the helper keep it', async () => {
    await helper('store');
    const { status, stdout, stderr } = await depot(['login', url], { env: await person('alice', 'hunter2') });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain(`Logged in to ${url} as 'alice'.`);
    expect(stdout).not.toContain('hunter2');
    expect(questions()).toBe(`Username for 'http://${host}': \nPassword for 'http://alice@${host}': \n`);
    expect(kept()).toBe(line('alice', 'hunter2'));
    expect(headersSent()).toHaveLength(1);

    const again = await depot(['login', url]);
    expect(again.status).toBe(0);
    expect(again.stdout).toContain(`Logged in to ${url} as 'alice', with what git knew already.`);
  });

  test('--username asks for the password only', async () => {
    await helper('store');
    const { status } = await depot(['login', '--username', 'alice', url], { env: await person('nobody', 'hunter2') });
    expect(status).toBe(0);
    expect(questions()).toBe(`Password for 'http://alice@${host}': \n`);
  });

  test.each(['hunter2', 'hunter2\n', 'hunter2\r\n'])('--password-stdin asks nobody: %j', async (input) => {
    await helper('store');
    const env = await person('nobody', 'hunter3');
    const result = await depot(['login', '--username', 'alice', '--password-stdin', url], { input, env });
    expect(result).toMatchObject({ status: 0, stderr: '' });
    expect(questions()).toBe('');
    expect(kept()).toBe(line('alice', 'hunter2'));
  });

  test('--password-stdin goes with --username, and with a password', async () => {
    expect((await depot(['login', '--password-stdin', url], { input: 'hunter2' })).status).toBe(2);
    const empty = await depot(['login', '--username', 'alice', '--password-stdin', url], { input: '\n' });
    expectError(empty, /there is no password on stdin/);
    const two = await depot(['login', '--username', 'alice', '--password-stdin', url], { input: 'hunter2\nhunter3\n' });
    expectError(two, /the password holds a line break/);
    expect(headersSent()).toEqual([]);
  });

  test('a wrong password is sent once, and kept nowhere', async () => {
    await helper('store');
    const typed = await depot(['login', url], { env: await person('alice', 'hunter1') });
    expectError(typed, /the server refused the user name or the password of 'alice'/);
    expect(typed.stderr).toContain('app password');
    expect(headersSent()).toHaveLength(1);
    expect(kept()).toBe('');
  });

  test('a wrong password on stdin leaves the right one that git keeps', async () => {
    await helper('store');
    box.write(KEPT, line('alice', 'hunter2'));
    const result = await depot(['login', '--username', 'alice', '--password-stdin', url], { input: 'hunter1' });
    expectError(result, /the server refused the user name or the password of 'alice'/);
    expect(kept()).toBe(line('alice', 'hunter2'));
  });

  test('what git knew, and the server refuses now, is forgotten; the next login asks', async () => {
    await helper('store');
    box.write(KEPT, line('alice', 'hunter1'));
    const env = await person('alice', 'hunter2');
    const first = await depot(['login', url], { env });
    expectError(first, /the server refused the password of 'alice' that git knew/);
    expect(first.stderr).toContain(`run: lfs-depot login ${url}`);
    expect(questions()).toBe('');
    expect(headersSent()).toHaveLength(1);
    expect(kept()).toBe('');
    expect((await depot(['login', url], { env })).status).toBe(0);
  });

  test('what a helper cannot forget is said to be its own', async () => {
    await helper('!f() { [ "$1" != get ] || printf "username=alice\\npassword=hunter1\\n"; }; f');
    const result = await depot(['login', url]);
    expectError(result, /the server refused the password of 'alice' that git knew/);
    expect(result.stderr).toContain("git's credential helper cannot forget it");
  });

  test('without a helper nothing is kept, which is an error with what to do on this platform', async () => {
    const result = await depot(['login', url], { env: await person('alice', 'hunter2') });
    expectError(result, /it is right, but git has no credential helper to keep it/);
    const wanted = { linux: 'store', darwin: 'osxkeychain', win32: 'manager' }[process.platform as 'linux'];
    expect(result.stderr).toContain(`git config --global credential.helper ${wanted}`);
    expect(result.stdout).not.toContain('Logged in');
  });

  test('a helper that keeps nothing is found out', async () => {
    await helper('!true');
    const result = await depot(['login', url], { env: await person('alice', 'hunter2') });
    expectError(result, /it is right, but none of git's credential helpers kept it/);
  });

  test('another account that git would go on with is found out', async () => {
    accounts = { alice: 'hunter2', bob: 'hunter4' };
    await helper(
      `!f() { read_in=$(cat); case "$1$read_in" in
        getp*username=bob*) cat '${box.path('bob')}' 2>/dev/null;;
        getp*) printf 'username=alice\\npassword=hunter2\\n';;
        store*username=bob*) printf 'username=bob\\npassword=hunter4\\n' >'${box.path('bob')}';; esac; }; f`,
    );
    const args = ['login', '--username', 'bob', '--password-stdin', url];
    const result = await depot(args, { input: 'hunter4' });
    expectError(result, /git goes on with 'alice' for that server/);
    const cure = /^hint: (git config .*)$/m.exec(result.stderr)?.[1] ?? '';
    expect(cure).toBe(`git config --global credential.http://${host}.username bob`);
    await box.sh('.', cure);
    expect(await depot(args, { input: 'hunter4' })).toMatchObject({ status: 0, stderr: '' });
  });

  test('with credential.useHttpPath it is kept for the path', async () => {
    await helper('store');
    await box.git('.', 'config', '--global', 'credential.useHttpPath', 'true');
    expect((await depot(['login', url], { env: await person('alice', 'hunter2') })).status).toBe(0);
    expect(kept()).toBe(line('alice', 'hunter2').replace('\n', '/lfs/art\n'));
  });

  test('a server that does not ask is told from one that lets in', async () => {
    accounts = undefined;
    await helper('store');
    const { status, stdout } = await depot(['login', url], { env: await person('alice', 'hunter2') });
    expect(status).toBe(0);
    expect(stdout).toContain(`${url} lets anybody in`);
    expect(questions() + kept()).toBe('');
  });

  test('nobody types a password for a server that is not there', async () => {
    await new Promise((done) => server.close(done));
    await box.git('.', 'config', '--global', 'depot.retries', '0');
    const result = await depot(['login', url], { env: await person('alice', 'hunter2') });
    expectError(result, /ECONNREFUSED|refused/);
    expect(questions()).toBe('');
  });

  test('where nobody can be asked it says how else', async () => {
    await helper('store');
    const result = await depot(['login', url]);
    expectError(result, /git was given no user name and password/);
    expect(result.stderr).toContain(`lfs-depot login --username <name> --password-stdin ${url}`);
  });

  test('an Authorization header of the user’s own goes before any login, so there is none', async () => {
    await box.git('.', 'config', '--global', `http.http://${host}.extraHeader`, 'Authorization: Bearer hunter9');
    expectError(await depot(['login', url]), /http\.extraHeader has an Authorization for it/);
    expect(seen).toEqual([]);
  });

  test('http: is warned of, https: is not', async () => {
    expect((await depot(['login', url])).stdout).toMatch(/^warning: http:.* is not encrypted/);
    await box.git('.', 'config', '--global', 'depot.retries', '0');
    const encrypted = await depot(['login', url.replace('http:', 'https:')]);
    expect(encrypted.stdout).not.toContain('warning');
  });
});

describe('where', () => {
  test.each([
    ['/srv/lfs', /a folder needs no login/],
    ['//server/share/lfs', /a network share needs no login/],
    ['relative', /a folder needs no login/],
  ])('%s needs no login', async (location, message) => {
    for (const command of ['login', 'logout']) expectError(await depot([command, location]), message);
  });

  test('a user name and a password do not belong into a location', async () => {
    expectError(await depot(['login', url.replace('//', '//alice:hunter2@')]), /it holds a user name or a password/);
  });

  test('outside of a repository a location is to be named', async () => {
    for (const command of ['login', 'logout']) expectError(await depot([command]), /not a git repository/);
  });

  test('in a repository it is the one that this names, once it is trusted', async () => {
    await helper('store');
    await box.git('.', 'init', '-q', 'clone');
    box.write('clone/.lfsconfig', `[lfs]\n\turl = depot::${url}\n`);
    const env = await person('alice', 'hunter2');
    const refused = await depot(['login'], { cwd: 'clone', env });
    expectError(refused, /you have not allowed that location yet/);
    expect(seen).toEqual([]);
    expect(questions()).toBe('');

    await box.depot('clone', 'trust');
    expect((await depot(['login'], { cwd: 'clone', env })).stdout).toContain(`Logged in to ${url}`);
    expect((await depot(['logout'], { cwd: 'clone' })).stdout).toContain('Forgotten');
  });

  test('a repository with a folder needs no login', async () => {
    await box.git('.', 'init', '-q', 'clone');
    await box.git('clone', 'config', 'lfs.url', 'depot::/srv/lfs');
    expectError(await depot(['login'], { cwd: 'clone' }), /a folder needs no login/);
  });
});

describe('logout', () => {
  test('forgets, and says when there is nothing to forget', async () => {
    await helper('store');
    const other = 'http://alice:hunter2@other.example.com\n';
    box.write(KEPT, line('alice', 'hunter2') + other);
    expect(await depot(['logout', url])).toEqual({
      status: 0,
      signal: null,
      stdout: `Forgotten for ${url}: 'alice'\n`,
      stderr: '',
    });
    expect(kept()).toBe(other);
    expect(await box.depot('.', 'logout', url)).toBe(`Git knows no password for ${url}: nothing to forget.\n`);
    expect(seen).toEqual([]);
  });

  test('forgets all accounts there', async () => {
    await helper('store');
    box.write(KEPT, line('alice', 'hunter2') + line('bob', 'hunter3'));
    expect(await box.depot('.', 'logout', url)).toBe(`Forgotten for ${url}: 'alice', 'bob'\n`);
    expect(kept()).toBe('');
  });

  test('says so when a helper does not forget', async () => {
    await helper('!f() { [ "$1" != get ] || printf "username=alice\\npassword=hunter2\\n"; }; f');
    expectError(await depot(['logout', url]), /git still has 'alice', from a credential helper that does not forget/);
  });

  test('asks nobody', async () => {
    const env = await person('alice', 'hunter2');
    expect((await depot(['logout', url], { env })).status).toBe(0);
    expect(questions()).toBe('');
  });
});
