import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PROGRAM, type Result, Sandbox } from '../sandbox.ts';
import { type ApacheServer, startApache } from '../servers/apache.ts';
import { type FaultProxy, type SeenRequest, startFaultProxy } from '../servers/fault-proxy.ts';
import { unauthorized } from '../servers/faults.ts';
import { isInstalled } from '../servers/installed.ts';
import { PASSWORD, USER } from '../servers/server.ts';
import { expectSameWorktree, soundStore } from './objects.ts';
import { knownPasswords, knowPassword, webTeam } from './web-team.ts';

const MISSING = !isInstalled('apache');

describe.skipIf(MISSING)(`a login${MISSING ? ': apache is not installed' : ''}`, () => {
  let box: Sandbox;
  let server: ApacheServer;
  /** Between git and the server, to see what is asked. */
  let seen: FaultProxy | undefined;
  beforeEach(async () => {
    box = new Sandbox();
    server = await startApache();
    await box.git('.', 'config', '--global', 'credential.helper', 'store');
  });
  afterEach(async () => {
    await seen?.stop();
    await server.stop();
    box.remove();
  });

  /** The place of a store on the server, by a way on which all is seen. */
  async function watch(url: string): Promise<string> {
    seen = await startFaultProxy(url);
    return `${seen.url}/art`;
  }
  const root = (): string => join(server.root, 'art');

  /** The requests that were refused for what they said of who asks. */
  const refused = (): SeenRequest[] =>
    (seen?.requests ?? []).filter(({ headers, status }) => headers.authorization !== undefined && status === 401);

  const push = (): Promise<Result> => box.run('git', ['push', '-q', 'origin', 'HEAD'], { cwd: 'alice' });
  async function commit(name: string): Promise<void> {
    box.write(`alice/${name}.bin`, 1000);
    await box.git('alice', 'add', '.');
    await box.git('alice', 'commit', '-qm', name);
  }

  /** Types the login that a message tells, as a program does that knows the password. */
  async function loginAsTold({ stdout, stderr }: Result, password = PASSWORD): Promise<Result> {
    const words = /lfs-depot login (\S+)/.exec(stdout + stderr) ?? [];
    const args = ['login', '--username', USER, '--password-stdin', words[1] ?? 'no command in the message'];
    return box.run(PROGRAM, args, { input: password });
  }

  function expectRefused({ status, stderr }: Result, why: string): void {
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/: \[6\] cannot [^\n]*\nhint: log in: lfs-depot login http/);
    expect(stderr).toContain(why);
  }

  test.each([
    ['Basic', 'url'],
    ['Digest', 'digestUrl'],
  ] as const)('by %s is asked for, kept, found wrong and forgotten, made again, and ended', async (_, which) => {
    const url = await watch(server[which]);
    await box.depot('.', 'install');
    await box.git('.', 'init', '-q', 'early');
    const init = await box.run(PROGRAM, ['init', url], { cwd: 'early' });
    expect(init.status).toBe(1);
    expect(init.stderr).toMatch(/^error: [^\n]*git keeps no password for it\nhint: log in: lfs-depot login http/);
    expect(await loginAsTold(init)).toMatchObject({ status: 0, stderr: '' });
    expect(refused()).toEqual([]);
    await box.team(url);
    await commit('first');
    expect(await push()).toMatchObject({ status: 0 });

    await knowPassword(box, url, USER, 'wrong');
    await commit('second');
    expectRefused(await push(), 'the server does not accept the user name and password');
    expect(refused()).toHaveLength(1);
    expect(knownPasswords(box)).toBe('');
    expect(soundStore(root())).toHaveLength(1);

    const again = await push();
    expectRefused(again, 'git keeps no password for it');
    expect(refused()).toHaveLength(1);
    await loginAsTold(again);
    expect(await push()).toMatchObject({ status: 0 });
    expect(soundStore(root())).toHaveLength(2);

    await box.depot('alice', 'logout');
    expect(knownPasswords(box)).toBe('');
    await commit('third');
    expectRefused(await push(), 'git keeps no password for it');
  });

  test('that is missing stops a clone with the commands that finish it', async () => {
    await webTeam(box, await watch(server.url));
    await commit('a');
    await push();
    await box.depot('alice', 'logout');
    const clone = await box.run('git', ['clone', '-q', 'remote.git', 'bob']);
    expectRefused(clone, 'git keeps no password for it');
    await loginAsTold(clone);
    await box.git('bob', 'checkout', '-q', '-f', 'HEAD');
    expectSameWorktree(box.path('alice'), box.path('bob'));
  });

  test('by a header of the user’s own goes before all others, and no helper is asked', async () => {
    const server2 = await startApache({ anonymous: true });
    try {
      // A fake of a server that takes tokens.
      const plan = ({ headers }: SeenRequest) =>
        headers.authorization === 'Bearer t0ken' ? undefined : unauthorized(0, 'Bearer realm="art"');
      seen = await startFaultProxy(server2.url, plan);
      const asked = box.path('asked');
      await box.git('.', 'config', '--global', 'credential.helper', `!echo >>'${asked}'`);
      const { origin } = new URL(seen.url);
      await box.git('.', 'config', '--global', `http.${origin}/.extraHeader`, 'Authorization: Bearer t0ken');
      await box.team(`${seen.url}/art`);
      await commit('a');
      expect(await push()).toMatchObject({ status: 0 });
      await box.git('.', 'clone', '-q', 'remote.git', 'bob');
      expectSameWorktree(box.path('alice'), box.path('bob'));
      expect(seen.requests.map(({ headers }) => headers.authorization)).not.toContain(undefined);

      await box.git('.', 'config', '--global', `http.${origin}/.extraHeader`, 'Authorization: Bearer stale');
      await commit('b');
      const { status, stderr } = await push();
      expect(status).not.toBe(0);
      expect(stderr).toMatch(/: \[6\] cannot .*: the server does not accept the Authorization of http\.extraHeader/);
      expect(stderr).toContain('to see where it is set:\ngit config --show-origin');
      expect(refused()).toHaveLength(1);
      expect(existsSync(asked)).toBe(false);
    } finally {
      await server2.stop();
    }
  });

  test('does not belong into a location', async () => {
    await box.depot('.', 'install');
    await box.git('.', 'init', '-q', 'alice');
    const url = await watch(server.url);
    const { status, stdout, stderr } = await box.run(PROGRAM, ['init', url.replace('//', '//u:s3cret@')], {
      cwd: 'alice',
    });
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain('it holds a user name or a password');
    expect(stderr).toContain(`lfs-depot login ${url}\n`);
    expect(stderr).not.toContain('s3cret');
    expect(seen?.requests).toEqual([]);
    expect(existsSync(box.path('alice/.lfsconfig'))).toBe(false);
  });

  test.each([
    ['that forgets it', 'store', 1],
    // git-lfs starts its agents again for a clone's file that failed.
    ['that cannot forget it', `!f() { test "$1" = get && printf 'username=u\\npassword=wrong\\n'; }; f`, 2],
  ])(
    'with a wrong password, by a helper %s, is tried once by the eight processes of git-lfs',
    async (_, helper, most) => {
      await webTeam(box, await watch(server.url));
      const commitMany = async (name: string): Promise<void> => {
        for (let number = 0; number < 20; number++) box.write(`alice/${name} ${number}.bin`, 1000);
        await commit(name);
      };
      await commitMany('pushed');
      expect(await push()).toMatchObject({ status: 0 });

      await knowPassword(box, seen?.url ?? '', USER, 'wrong', helper);
      await commitMany('not pushed');
      expectRefused(await push(), 'the server does not accept');
      expect(refused()).toHaveLength(1);

      await knowPassword(box, seen?.url ?? '', USER, 'wrong', helper);
      expectRefused(await box.run('git', ['clone', '-q', 'remote.git', 'bob']), '[6]');
      expect(refused().length - 1).toBeLessThanOrEqual(most);
      expect(refused().length - 1).toBeGreaterThan(0);
    },
  );
});
