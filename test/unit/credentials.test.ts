import { existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { credentialsFor } from '../../agent/network/credentials.ts';
import type { Credentials } from '../../backends/webdav/options.ts';
import { expectFailure } from '../conformance/failure.ts';
import { Sandbox } from '../sandbox.ts';
import { newerGit } from './newer-git.ts';

const STORE = 'https://dav.example.com:8443/lfs/my%20art';
const BASIC = 'Basic realm="a = b"';

let box: Sandbox;
let notes: string[];
beforeEach(() => {
  box = new Sandbox();
  notes = [];
});
afterEach(() => box.remove());

function credentials(url = STORE, env: NodeJS.ProcessEnv = {}, cwd = box.root): Credentials {
  const note = (line: string) => notes.push(line);
  return credentialsFor(url, { cwd, env: { ...box.env, ...env }, note });
}

/** A helper that writes down what git tells it, and answers `get` with what it is given here. */
async function helper(answer: string, more = ''): Promise<void> {
  box.write('answer', answer);
  const file = box.write(
    'helper',
    `#!/bin/sh\n{ echo "== $1"; cat; } >>'${box.path('log')}'\n${more}\n[ "$1" != get ] || cat '${box.path('answer')}'\n`,
  );
  await box.ok('chmod', ['+x', file]);
  await box.git('.', 'config', '--global', 'credential.helper', file);
}

const log = (): string => (existsSync(box.path('log')) ? readFileSync(box.path('log'), 'utf8') : '');

describe('what helpers know', () => {
  test('user name and password come from a real helper, by host and port', async () => {
    await box.git('.', 'config', '--global', 'credential.helper', 'store');
    box.write(
      'home/.git-credentials',
      'https://alice:wrong@dav.example.com\nhttps://al%20ice:s%3De%20%C3%BCt@dav.example.com%3a8443\n',
    );
    expect(await credentials().find([BASIC])).toEqual({ kind: 'password', username: 'al ice', password: 's=e üt' });
    expect(await credentials('https://dav.example.com/lfs').find([])).toMatchObject({ password: 'wrong' });
    expect(await credentials('http://dav.example.com:8443/lfs').find([])).toBeUndefined();
  });

  test('it is told protocol, host with port, and the path only if the user wants that', async () => {
    await helper('username=alice\npassword=secret\n');
    await credentials().find([BASIC]);
    expect(log()).toBe('== get\nprotocol=https\nhost=dav.example.com:8443\n');
    await box.git('.', 'config', '--global', 'credential.useHttpPath', 'true');
    await credentials().find([BASIC]);
    expect(log()).toContain('host=dav.example.com:8443\npath=lfs/my art\n');
  });

  test('it is asked once, however often the server asks', async () => {
    await helper('username=alice\npassword=secret\n');
    const own = credentials();
    const [one, two] = await Promise.all([own.find([BASIC]), own.find([BASIC])]);
    expect(one).toEqual(two);
    expect(await own.find([])).toEqual(one);
    expect(log().match(/== get/g)).toHaveLength(1);
  });

  test('an empty password is one', async () => {
    await helper('username=share-link\npassword=\n');
    expect(await credentials().find([])).toEqual({ kind: 'password', username: 'share-link', password: '' });
  });

  test.each([
    ['nothing', '', ''],
    ['a user name only', 'username=alice\n', ''],
    ['that nobody else should be asked', 'quit=1\n', ''],
    ['a line that is none', 'nonsense\n', ''],
    ['complaints on stderr, and fails', '', 'echo "password=hunter2" >&2; exit 3'],
  ])('none is known where a helper answers %s', async (_, answer, more) => {
    await helper(answer, more);
    expect(await credentials().find([BASIC])).toBeUndefined();
    expect(notes.join('\n')).toMatch(/^git credential fill knows none for https:\/\/dav\.example\.com:8443: /);
    expect(notes.join('\n')).not.toContain('hunter2');
  });

  test('a helper that complains and answers has answered', async () => {
    await helper('username=alice\npassword=secret\n', 'echo "warning: it is late" >&2');
    expect(await credentials().find([])).toMatchObject({ password: 'secret' });
  });

  test('a helper that is not installed is named in the trace', async () => {
    await box.git('.', 'config', '--global', 'credential.helper', 'frobnicate');
    expect(await credentials().find([])).toBeUndefined();
    expect(notes.join('\n')).toContain("git: 'credential-frobnicate' is not a git command");
  });

  test('a daemon that a helper leaves behind is not waited for', async () => {
    await helper('username=alice\npassword=secret\n', 'sleep 60 >/dev/null & echo $! >>"$HOME/daemons"');
    const own = credentials();
    const started = Date.now();
    const found = await own.find([]);
    await own.accepted(found as NonNullable<typeof found>);
    expect(Date.now() - started).toBeLessThan(30_000);
    for (const pid of readFileSync(box.path('home/daemons'), 'utf8').trim().split('\n')) process.kill(Number(pid));
  });
});

describe('nobody is asked', () => {
  const asks = async (): Promise<string> => {
    const file = box.write('askpass', `#!/bin/sh\necho asked >>'${box.path('asked')}'\necho typed\n`);
    await box.ok('chmod', ['+x', file]);
    return file;
  };

  test.each(['GIT_ASKPASS', 'SSH_ASKPASS', 'core.askPass'])('not by the program in %s', async (where) => {
    const askpass = await asks();
    if (where === 'core.askPass') await box.git('.', 'config', '--global', where, askpass);
    const env = where === 'core.askPass' ? {} : { [where]: askpass };
    expect(await credentials(STORE, env).find([BASIC])).toBeUndefined();
    expect(existsSync(box.path('asked'))).toBe(false);
  });

  test('not by all of them, when a helper knows the user name only', async () => {
    const askpass = await asks();
    await box.git('.', 'config', '--global', 'core.askPass', askpass);
    await helper('username=alice\n');
    const env = { GIT_ASKPASS: askpass, SSH_ASKPASS: askpass, GIT_TERMINAL_PROMPT: '1', GCM_INTERACTIVE: 'always' };
    expect(await credentials(STORE, env).find([BASIC])).toBeUndefined();
    expect(existsSync(box.path('asked'))).toBe(false);
  });

  test('a helper with a window of its own is told in each way there is', async () => {
    await helper(
      'username=alice\npassword=typed\n',
      `[ "$GCM_INTERACTIVE" = never ] || echo window >>'${box.path('asked')}'
       [ "$GIT_TERMINAL_PROMPT" = 0 ] || echo terminal >>'${box.path('asked')}'
       [ "$(git config credential.interactive)" = false ] || echo setting >>'${box.path('asked')}'
       [ -z "$GIT_ASKPASS$SSH_ASKPASS$(git config core.askPass)" ] || echo askpass >>'${box.path('asked')}'`,
    );
    const askpass = await asks();
    const env = { GIT_ASKPASS: askpass, SSH_ASKPASS: askpass, GCM_INTERACTIVE: 'always', GIT_TERMINAL_PROMPT: '1' };
    await box.git('.', 'config', '--global', 'credential.interactive', 'always');
    await credentials(STORE, env).find([BASIC]);
    expect(existsSync(box.path('asked')) ? readFileSync(box.path('asked'), 'utf8') : '').toBe('');
  });
});

describe('what the server said of it', () => {
  test('a helper is told to keep what was taken, with all that it gave', async () => {
    await helper('username=alice\npassword=secret\n');
    const own = credentials();
    const found = await own.find([BASIC]);
    await own.accepted(found as NonNullable<typeof found>);
    expect(log().split('== store\n')[1]).toBe(
      'protocol=https\nhost=dav.example.com:8443\nusername=alice\npassword=secret\n',
    );
  });

  test('a helper is told to forget what was refused, and it is not given again', async () => {
    await box.git('.', 'config', '--global', 'credential.helper', 'store');
    box.write('home/.git-credentials', 'https://alice:old@dav.example.com%3a8443\nhttps://bob:b@other.example.com\n');
    const own = credentials();
    const found = await own.find([BASIC]);
    await own.refused(found as NonNullable<typeof found>);
    expect(readFileSync(box.path('home/.git-credentials'), 'utf8')).toBe('https://bob:b@other.example.com\n');
    expect(await own.find([BASIC])).toBeUndefined();
  });

  test('it is a trouble for nobody when the helper, or git itself, cannot keep it', async () => {
    await helper('username=alice\npassword=secret\n', '[ "$1" = get ] || { echo "password=secret" >&2; exit 1; }');
    const own = credentials();
    const found = await own.find([BASIC]);
    await own.accepted(found as NonNullable<typeof found>);

    const fake = newerGit(box.path('bin'), {
      fill: { prints: 'username=a\npassword=secret\n' },
      approve: { status: 1 },
    });
    const other = credentials(STORE, { PATH: fake.path });
    const given = await other.find([BASIC]);
    await other.accepted(given as NonNullable<typeof given>);
    expect(notes).toEqual(['git credential approve failed: it ended with status 1']);

    mkdirSync(box.path('folder'));
    const homeless = credentials(STORE, {}, box.path('folder'));
    expect(await homeless.find([BASIC])).toEqual(found);
    rmdirSync(box.path('folder'));
    await homeless.accepted(found as NonNullable<typeof found>);
    expect(notes[1]).toMatch(/^git credential approve failed: cannot run git: /);
  });

  test('nothing is told of what was never found', async () => {
    await helper('');
    const own = credentials();
    expect(await own.find([BASIC])).toBeUndefined();
    await own.accepted({ kind: 'password', username: 'a', password: 'b' });
    await own.refused({ kind: 'password', username: 'a', password: 'b' });
    expect(log()).not.toMatch(/== (store|erase)/);
  });
});

describe('newer git', () => {
  const TOKEN =
    'capability[]=authtype\nauthtype=Bearer\ncredential=t0k=en\nephemeral=1\nprotocol=https\nhost=dav.example.com:8443\n' +
    'password_expiry_utc=2147483640\noauth_refresh_token=again\nstate[]=cache:1\n';

  test('a helper is offered tokens, and told what the server asked', async () => {
    const fake = newerGit(box.path('bin'), { fill: { prints: TOKEN } });
    const own = credentials(STORE, { PATH: fake.path });
    expect(await own.find([BASIC, 'Bearer'])).toEqual({ kind: 'token', scheme: 'Bearer', token: 't0k=en' });
    expect(fake.calls()[0]?.input).toBe(
      'capability[]=authtype\nprotocol=https\nhost=dav.example.com:8443\npath=lfs/my art\n' +
        `wwwauth[]=${BASIC}\nwwwauth[]=Bearer\n\n`,
    );
  });

  test.each(['accepted', 'refused'] as const)('all that git gave goes back to it: %s', async (verdict) => {
    const fake = newerGit(box.path('bin'), { fill: { prints: TOKEN } });
    const own = credentials(STORE, { PATH: fake.path });
    const found = await own.find([BASIC]);
    await own[verdict](found as NonNullable<typeof found>);
    const told = fake.calls()[1];
    expect(told?.args).toMatch(verdict === 'accepted' ? / credential approve$/ : / credential reject$/);
    expect(told?.input).toBe(TOKEN);
  });

  test('a way to log in that takes several rounds is none', async () => {
    const fake = newerGit(box.path('bin'), { fill: { prints: 'authtype=NTLM\ncredential=abc\ncontinue=1\n' } });
    expect(await credentials(STORE, { PATH: fake.path }).find(['NTLM'])).toBeUndefined();
    expect(notes.join('')).toContain('several rounds of NTLM');
  });

  test('no secret is ever an argument, which everybody can see', async () => {
    const fake = newerGit(box.path('bin'), { fill: { prints: 'username=alice\npassword=hunter2\n' } });
    const own = credentials(STORE, { PATH: fake.path });
    const found = await own.find([BASIC]);
    await own.accepted(found as NonNullable<typeof found>);
    await own.refused(found as NonNullable<typeof found>);
    expect(fake.calls()).toHaveLength(3);
    for (const { args } of fake.calls()) expect(args).not.toMatch(/hunter2|alice/);
  });
});

describe('what cannot be said in the protocol', () => {
  test.each(['%0A', '%0D', '%00'])('a location with %s never reaches a helper', async (character) => {
    await helper('username=alice\npassword=secret\n');
    const url = `https://dav.example.com/lfs${character}host=evil.example.com`;
    const error = await expectFailure(credentials(url).find([]), 'configuration');
    expect(error.why).toContain('path');
    expect(log()).toBe('');
  });

  test('nor does a challenge with a line break', async () => {
    await helper('username=alice\npassword=secret\n');
    await expectFailure(credentials().find(['Basic\nhost=evil.example.com']), 'configuration');
    expect(log()).toBe('');
  });

  test('an escape in a location that is no text is left as it is', async () => {
    await helper('username=alice\npassword=secret\n');
    await box.git('.', 'config', '--global', 'credential.useHttpPath', 'true');
    await credentials('https://dav.example.com/%ff').find([]);
    expect(log()).toContain('path=%ff\n');
  });

  test('without a git program the error says so', async () => {
    const error = await expectFailure(credentials(STORE, { PATH: box.path('nothing') }).find([]), 'configuration');
    expect(error.message).toContain('there is no git program');
  });
});
