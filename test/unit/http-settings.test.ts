import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { configOf, readConfig } from '../../agent/config.ts';
import { webOptionsFor } from '../../agent/network/http-settings.ts';
import type { WebOptions } from '../../backends/webdav/options.ts';
import { expectFailure } from '../conformance/failure.ts';
import { IS_ROOT } from '../e2e/user.ts';
import { Sandbox } from '../sandbox.ts';

const ART = 'https://dav.example.com/lfs/art';
const PLAIN = 'http://dav.example.com/lfs/art';
const [ONE = '', TWO = '', THREE = ''] = rootCertificates;

let box: Sandbox;
beforeEach(() => {
  box = new Sandbox();
  for (const name of Object.keys(process.env)) if (name.startsWith('GIT_')) vi.stubEnv(name, undefined);
  for (const name of ['HOME', 'XDG_CONFIG_HOME', 'GIT_CONFIG_NOSYSTEM']) vi.stubEnv(name, box.env[name]);
});
afterEach(() => {
  vi.unstubAllEnvs();
  box.remove();
});

/** With git configured by `git config --global --add <key> <value>` for each pair, and more environment. */
async function options(settings: [key: string, value: string][] = [], env: NodeJS.ProcessEnv = {}, url = ART) {
  for (const [key, value] of settings) await box.git('.', 'config', '--global', '--add', key, value);
  return webOptionsFor(url, await readConfig(box.root, undefined), { ...box.env, ...env });
}

async function refused(settings: [string, string][], env: NodeJS.ProcessEnv = {}, url = ART) {
  return expectFailure(options(settings, env, url), 'configuration');
}

test('without any settings there is no proxy, every certificate is checked, and nothing waits for ever', async () => {
  const { credentials, ...rest } = await options();
  expect(await credentials.find([])).toBeUndefined();
  expect(rest).toEqual({
    headers: [],
    proxy: undefined,
    tls: { verify: true, ca: undefined, cert: undefined, key: undefined, passphrase: undefined },
    timeouts: { connect: 60_000, idle: 30_000, answer: 600_000 },
    retries: { count: 6, pause: 500, timeout: 120_000, onRetry: expect.any(Function) },
  } satisfies Omit<WebOptions, 'credentials'>);
});

test('credentials are those for the URL', async () => {
  box.write('home/.git-credentials', 'https://alice:secret@dav.example.com\n');
  const { credentials } = await options([['credential.helper', 'store']]);
  expect(await credentials.find([])).toMatchObject({ username: 'alice', password: 'secret' });
});

describe('the proxy', () => {
  const proxy = async (settings: [string, string][], env: NodeJS.ProcessEnv = {}, url = ART) =>
    (await options(settings, env, url)).proxy?.url;

  test.each([
    ['http://proxy.example.com:3128', 'http://proxy.example.com:3128/'],
    ['proxy.example.com:3128', 'http://proxy.example.com:3128/'],
    ['proxy.example.com', 'http://proxy.example.com:1080/'],
    ['http://proxy.example.com:80', 'http://proxy.example.com/'],
    ['https://proxy.example.com', 'https://proxy.example.com/'],
    ['http://u:p%40@proxy.example.com:3128/', 'http://u:p%40@proxy.example.com:3128/'],
    ['u:p:2@[::1]:3128', 'http://u:p%3A2@[::1]:3128/'],
    ['http://[::1]/x?y#z', 'http://[::1]:1080/'],
  ])('%s is %s', async (given, found) => {
    expect(await proxy([['http.proxy', given]])).toBe(found);
    expect(await proxy([], { https_proxy: given })).toBe(found);
  });

  test('http.proxy goes before the variables, for a URL before all, and an empty one is none', async () => {
    const env = { https_proxy: 'http://env:1', http_proxy: 'http://env:2', ALL_PROXY: 'http://env:3' };
    expect(await proxy([['http.proxy', 'http://all:1']], env)).toBe('http://all:1/');
    expect(await proxy([['http.https://dav.example.com.proxy', 'http://one:1']], env)).toBe('http://one:1/');
    expect(await proxy([['http.https://dav.example.com/lfs.proxy', '']], env)).toBeUndefined();
    expect(await proxy([], env, PLAIN)).toBe('http://all:1/');
  });

  test.each([
    [{ HTTPS_PROXY: 'http://up:1' }, 'http://up:1/', undefined],
    [{ HTTPS_PROXY: 'http://up:1', https_proxy: 'http://low:1' }, 'http://low:1/', undefined],
    [{ HTTPS_PROXY: 'http://up:1', https_proxy: '' }, undefined, undefined],
    [{ http_proxy: 'http://low:1' }, undefined, 'http://low:1/'],
    [{ HTTP_PROXY: 'http://up:1' }, undefined, undefined],
    [{ ALL_PROXY: 'http://up:1' }, 'http://up:1/', 'http://up:1/'],
    [{ ALL_PROXY: 'http://up:1', all_proxy: 'http://low:1' }, 'http://low:1/', 'http://low:1/'],
    [{ all_proxy: 'http://all:1', https_proxy: 'http://low:1' }, 'http://low:1/', 'http://all:1/'],
  ])('%j: %s for https, %s for http', async (env, https, http) => {
    expect(await proxy([], env)).toBe(https);
    expect(await proxy([], env, PLAIN)).toBe(http);
  });

  test('NO_PROXY goes with it, whoever named it', async () => {
    const env = { NO_PROXY: 'a.example.com', no_proxy: '.example.com' };
    expect((await options([], { ...env, https_proxy: 'http://p:1' })).proxy?.except).toBe('.example.com');
    expect((await options([['http.proxy', 'http://p:1']], { NO_PROXY: '*' })).proxy?.except).toBe('*');
    expect((await options()).proxy?.except).toBeUndefined();
  });

  test.each(['socks5://u:hunter2@p:1', 'socks5h://p:1', 'socks4://p:1', 'socks4a://p:1', 'SOCKS://p:1'])(
    '%s is refused, with what is known instead',
    async (given) => {
      const error = await refused([['http.proxy', given]]);
      expect(error.message).toMatch(/^cannot use http\.proxy: it names a socks\w* proxy/);
      const byVariable = await expectFailure(webOptionsFor(ART, configOf([]), { all_proxy: given }), 'configuration');
      expect(byVariable.message).toMatch(/^cannot use all_proxy: /);
      expect(error.message + error.cure + byVariable.message).not.toContain('hunter2');
    },
  );

  test.each(['ftp://u:hunter2@p:1', 'http://', 'http://u:hunter2@p:99999', 'http://u:hunter2@a b'])(
    '%s is refused, without its password',
    async (given) => {
      const error = await refused([['http.proxy', given]]);
      expect(error.what).toBe('cannot use http.proxy');
      expect(error.message + error.cure).not.toContain('hunter2');
    },
  );

  test('a user name without a password has its password from git', async () => {
    box.write('home/.git-credentials', 'http://al%20ice:s%40ecret@proxy.example.com%3a3128\n');
    const settings: [string, string][] = [['credential.helper', 'store']];
    expect(await proxy([...settings, ['http.proxy', 'http://al%20ice@proxy.example.com:3128']])).toBe(
      'http://al%20ice:s%40ecret@proxy.example.com:3128/',
    );
  });
});

describe('certificates', () => {
  const tls = async (settings: [string, string][], env: NodeJS.ProcessEnv = {}, url = ART) =>
    (await options(settings, env, url)).tls;

  test.each([
    [[], {}, true],
    [[['http.sslVerify', 'false']], {}, false],
    [[['http.sslVerify', 'off']], {}, false],
    [[['http.sslVerify', '']], {}, false],
    [[['http.sslVerify', 'false']], { GIT_SSL_NO_VERIFY: 'false' }, false],
    [[['http.https://dav.example.com.sslVerify', 'no']], {}, false],
    [[['http.https://other.example.com.sslVerify', 'no']], {}, true],
    [[], { GIT_SSL_NO_VERIFY: '1' }, false],
    [[], { GIT_SSL_NO_VERIFY: 'true' }, false],
    [[], { GIT_SSL_NO_VERIFY: 'false' }, true],
    [[], { GIT_SSL_NO_VERIFY: '0' }, true],
    [[], { GIT_SSL_NO_VERIFY: '' }, true],
  ] as [[string, string][], NodeJS.ProcessEnv, boolean][])(
    'with %j and %j they are checked: %s',
    async (set, env, verify) => {
      expect((await tls(set, env)).verify).toBe(verify);
    },
  );

  test('authorities come from the file, the variable before the setting', async () => {
    const one = box.write('one.pem', `# a comment\n${ONE}\n${TWO}\n`);
    const two = box.write('two.pem', THREE);
    expect((await tls([['http.sslCAInfo', one]])).ca).toEqual([`# a comment\n${ONE}\n${TWO}\n`]);
    expect((await tls([], { GIT_SSL_CAINFO: two })).ca).toEqual([THREE]);
    expect((await tls([['http.https://dav.example.com.sslCAInfo', two]])).ca).toEqual([THREE]);
  });

  test('and from the folder, whatever else lies there', async () => {
    box.write('ca/one.pem', ONE);
    box.write('ca/hash.0', TWO);
    box.write('ca/same.0', TWO);
    box.write('ca/README', 'no certificate');
    box.write('ca/deeper/three.pem', THREE);
    await box.ok('ln', ['-s', 'gone', box.path('ca/dead.pem')]);
    expect((await tls([['http.sslCAPath', box.path('ca')]])).ca?.toSorted()).toEqual([ONE, TWO].toSorted());
    const file = box.write('three.pem', THREE);
    expect((await tls([], { GIT_SSL_CAPATH: box.path('ca'), GIT_SSL_CAINFO: file })).ca).toHaveLength(3);
  });

  test('~ is the home in a setting', async () => {
    box.write('home/ca.pem', ONE);
    expect((await tls([['http.sslCAInfo', '~/ca.pem']])).ca).toEqual([ONE]);
    const error = await expectFailure(tls([], { GIT_SSL_CAINFO: '~/ca.pem' }), 'configuration');
    expect(error.message).toContain('~/ca.pem');
  });

  test('~name is what git says, and an error where git knows nobody of that name', async () => {
    const error = await refused([['http.sslCAInfo', '~no-such-user-here/ca.pem']]);
    expect(error.message).toContain('no-such-user-here');
    await box.git('.', 'config', '--global', '--unset-all', 'http.sslCAInfo');
    const mine = await refused([['http.sslCAInfo', '~root/no-such-file.pem']]);
    expect(mine.why).toMatch(/ENOENT.*\/no-such-file\.pem/);
    expect(mine.why).not.toContain('~');
  });

  test.each([
    ['http.sslCAInfo', 'GIT_SSL_CAINFO'],
    ['http.sslCAPath', 'GIT_SSL_CAPATH'],
    ['http.sslCert', 'GIT_SSL_CERT'],
  ])('%s and %s are named when they cannot be read', async (key, variable) => {
    const gone = box.path('gone');
    const byVariable = await refused([], { [variable]: gone });
    expect(byVariable.message).toMatch(new RegExp(`^cannot use ${variable}: ENOENT.*${gone}`));
    const bySetting = await refused([[key, gone]]);
    expect(bySetting.message).toMatch(new RegExp(`^cannot use ${key.toLowerCase()}: ENOENT.*${gone}`));
    expect(bySetting.cure).toContain(`git config --show-origin --get-all ${key.toLowerCase()}`);
  });

  test.each(['GIT_SSL_CAINFO', 'GIT_SSL_CAPATH', 'GIT_SSL_CERT'])(
    '%s is named when it holds something else',
    async (name) => {
      const file = box.write('folder/other.pem', 'something else');
      const given = name === 'GIT_SSL_CAPATH' ? box.path('folder') : file;
      const error = await refused([], { [name]: given });
      expect(error.message).toMatch(new RegExp(`^cannot use ${name}: ${given} holds no certificate`));
    },
  );

  test.skipIf(IS_ROOT)('a file that may not be read is named', async () => {
    const file = box.write('ca.pem', ONE);
    await box.ok('chmod', ['000', file]);
    expect((await refused([['http.sslCAInfo', file]])).why).toContain('EACCES');
  });

  test('nothing is read for what is not encrypted, or not checked', async () => {
    const gone = box.path('gone');
    expect((await tls([['http.sslCAInfo', gone]], {}, PLAIN)).ca).toBeUndefined();
    expect((await tls([], { GIT_SSL_NO_VERIFY: '1' })).ca).toBeUndefined();
    await expectFailure(tls([], { http_proxy: 'https://p:1' }, PLAIN), 'configuration');
  });

  test('on a git with schannel the certificate store of Windows is not replaced, unless that is wanted', async () => {
    const file = box.write('ca.pem', ONE);
    expect(
      (
        await tls([
          ['http.sslBackend', 'schannel'],
          ['http.sslCAInfo', file],
        ])
      ).ca,
    ).toBeUndefined();
    expect((await tls([['http.schannelUseSSLCAInfo', 'true']])).ca).toEqual([ONE]);
    expect(
      (
        await tls([
          ['http.schannelUseSSLCAInfo', 'false'],
          ['http.sslBackend', 'openssl'],
        ])
      ).ca,
    ).toEqual([ONE]);
  });
});

describe('the client’s certificate', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const KEY = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const LOCKED = privateKey
    .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'hunter2' })
    .toString();

  test('key and certificate are in two files, or in one', async () => {
    const cert = box.write('cert.pem', ONE);
    const key = box.write('key.pem', KEY);
    const both = box.write('both.pem', KEY + ONE);
    expect((await options([], { GIT_SSL_CERT: cert, GIT_SSL_KEY: key })).tls).toMatchObject({ cert: ONE, key: KEY });
    expect((await options([], { GIT_SSL_CERT: both })).tls).toMatchObject({ cert: KEY + ONE, key: KEY + ONE });
    const settings: [string, string][] = [
      ['http.sslCert', cert],
      ['http.sslKey', key],
    ];
    expect((await options(settings)).tls).toMatchObject({ cert: ONE, key: KEY, passphrase: undefined });
    expect((await options([], {}, PLAIN)).tls.cert).toBeUndefined();
  });

  test('without a key it is refused', async () => {
    const cert = box.write('cert.pem', ONE);
    const error = await refused([['http.sslCert', cert]]);
    expect(error.message).toBe(`cannot use http.sslcert: ${cert} holds no private key in PEM form`);
    expect((await refused([['http.sslKey', cert]])).message).toContain('cannot use http.sslkey');
  });

  test('a locked key is refused as long as nobody said that it is one', async () => {
    const file = box.write('both.pem', LOCKED + ONE);
    const error = await refused([['http.sslCert', file]]);
    expect(error.why).toContain('protected by a password');
    expect(error.cure).toContain('git config --global http.sslCertPasswordProtected true');
  });

  async function helper(password: string): Promise<void> {
    const file = box.write(
      'helper',
      `#!/bin/sh\n{ echo "== $1"; cat; } >>'${box.path('log')}'\n[ "$1" != get ] || echo 'password=${password}'\n`,
    );
    await box.ok('chmod', ['+x', file]);
    await box.git('.', 'config', '--global', 'credential.helper', file);
  }

  test('its password comes from git, which is asked for cert: and the file', async () => {
    const file = box.write('home/both.pem', LOCKED + ONE);
    await helper('hunter2');
    const { tls } = await options([
      ['http.sslCert', '~/both.pem'],
      ['http.sslCertPasswordProtected', 'true'],
    ]);
    expect(tls).toMatchObject({ key: LOCKED + ONE, passphrase: 'hunter2' });
    expect(readFileSync(box.path('log'), 'utf8')).toBe(`== get\nprotocol=cert\nhost=\npath=${file}\nusername=\n`);
    const { tls: again } = await options([], { GIT_SSL_CERT_PASSWORD_PROTECTED: '1' });
    expect(again.passphrase).toBe('hunter2');
    await refused([], { GIT_SSL_CERT_PASSWORD_PROTECTED: 'no' });
  });

  test('a wrong password is forgotten, and not shown', async () => {
    const file = box.write('both.pem', LOCKED + ONE);
    await helper('hunter3');
    const settings: [string, string][] = [
      ['http.sslCert', file],
      ['http.sslCertPasswordProtected', 'true'],
    ];
    const error = await expectFailure(options(settings), 'credentials');
    expect(error.message).toContain(file);
    expect(error.message + error.cure).not.toContain('hunter');
    expect(readFileSync(box.path('log'), 'utf8')).toContain('== erase\nprotocol=cert\n');
  });

  test('a password that nobody knows is an error, and nobody is asked', async () => {
    const file = box.write('both.pem', LOCKED + ONE);
    const askpass = box.write('askpass', `#!/bin/sh\necho hunter2\n`);
    await box.ok('chmod', ['+x', askpass]);
    const settings: [string, string][] = [
      ['http.sslCert', file],
      ['http.sslCertPasswordProtected', 'true'],
    ];
    const error = await expectFailure(options(settings, { GIT_ASKPASS: askpass }), 'credentials');
    expect(error.cure).toContain(`path=${file}`);
  });
});

describe('http.extraHeader', () => {
  const headers = async (...values: string[]) => {
    await box.run('git', ['config', '--global', '--unset-all', 'http.extraHeader']);
    return (await options(values.map((value) => ['http.extraHeader', value]))).headers;
  };

  test('headers are told in order, and may come twice', async () => {
    expect(await headers('X-Team: art', 'Authorization: Bearer a:b=', 'x-team:  film ')).toEqual([
      ['X-Team', 'art'],
      ['Authorization', 'Bearer a:b='],
      ['x-team', 'film'],
    ]);
  });

  test('an empty one drops those before it', async () => {
    expect(await headers('X-A: 1', '', 'X-B: 2')).toEqual([['X-B', '2']]);
    expect(await headers('X-A: 1', '')).toEqual([]);
  });

  test('as with curl, no value is no header, and a semicolon an empty one', async () => {
    expect(await headers('X-A:', 'X-B;', 'X-C: 3')).toEqual([
      ['X-B', ''],
      ['X-C', '3'],
    ]);
  });

  test('those for a URL are added to those for all', async () => {
    await headers('X-All: 1');
    const { headers: both } = await options([
      ['http.https://dav.example.com.extraHeader', 'X-Dav: 2'],
      ['http.https://other.example.com.extraHeader', 'X-Other: 3'],
    ]);
    expect(both).toEqual([
      ['X-All', '1'],
      ['X-Dav', '2'],
    ]);
    expect((await options([], {}, PLAIN)).headers).toEqual([['X-All', '1']]);
  });

  test('other letters are sent in the bytes that git sends', async () => {
    expect(await headers('X-Name: Jürgen')).toEqual([['X-Name', Buffer.from('Jürgen').toString('latin1')]]);
  });

  test.each(['hunter2', 'Bad Name: hunter2', ': hunter2', 'X-A: a\nX-B: hunter2', 'X-A; hunter2'])(
    '%j is refused without being shown',
    async (value) => {
      const error = await refused([['http.extraHeader', value]]);
      expect(error.what).toBe('cannot use http.extraheader');
      expect(error.message + error.cure).not.toContain('hunter2');
    },
  );
});

describe('time and patience', () => {
  test.each([
    [[], { connect: 60_000, idle: 30_000, answer: 600_000 }],
    [
      [
        ['lfs.dialtimeout', '5'],
        ['lfs.tlstimeout', '7'],
      ],
      { connect: 12_000, idle: 30_000, answer: 600_000 },
    ],
    [
      [
        ['lfs.dialtimeout', '0'],
        ['lfs.tlstimeout', '-1'],
      ],
      { connect: 60_000, idle: 30_000, answer: 600_000 },
    ],
    [[['lfs.activitytimeout', '10']], { connect: 60_000, idle: 10_000, answer: 30_000 }],
    [[['lfs.activitytimeout', '30']], { connect: 60_000, idle: 30_000, answer: 90_000 }],
    [
      [['lfs.activitytimeout', '0']],
      { connect: 60_000, idle: Number.POSITIVE_INFINITY, answer: Number.POSITIVE_INFINITY },
    ],
    [
      [
        ['lfs.https://dav.example.com.activitytimeout', '2'],
        ['lfs.activitytimeout', '10'],
      ],
      { connect: 60_000, idle: 2_000, answer: 6_000 },
    ],
  ] as [[string, string][], WebOptions['timeouts']][])('%j', async (settings, timeouts) => {
    expect((await options(settings)).timeouts).toEqual(timeouts);
  });

  test('repetitions are counted and paced by depot.retries and depot.retryPause', async () => {
    const { retries } = await options([
      ['depot.retries', '0'],
      ['depot.retryPause', '10'],
    ]);
    expect(retries).toMatchObject({ count: 0, pause: 10 });
  });

  test.each([
    ['depot.retries', '101', '0 to 100'],
    ['depot.retries', '-1', '0 to 100'],
    ['depot.retries', '', '0 to 100'],
    ['depot.retryPause', '1s', '0 to 60000'],
    ['lfs.activitytimeout', 'never', 'a whole number'],
    ['lfs.dialtimeout', '1.5', 'a whole number'],
    ['http.sslVerify', 'maybe', 'true or false'],
    ['http.https://dav.example.com.sslVerify', 'maybe', 'true or false'],
  ])('%s = %s is refused, with what it could be', async (key, value, wanted) => {
    const error = await refused([[key, value]]);
    // Ours as the documentation spells them; git itself gives names in lower case.
    const named = key.startsWith('depot.') ? key : key.replace(/[^.]+$/, (name) => name.toLowerCase());
    expect(error.what).toBe(`cannot use ${named}`);
    expect(error.why).toContain(`'${value}'`);
    expect(error.cure).toContain(wanted);
  });
});
