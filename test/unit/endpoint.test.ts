import { describe, expect, test } from 'vitest';
import { configOf, type Setting } from '../../agent/config.ts';
import { type Endpoint, findEndpoint } from '../../agent/endpoint.ts';
import type { Operation } from '../../agent/protocol.ts';
import { DepotError } from '../../backends/errors.ts';

interface Asked {
  operation?: Operation;
  remote?: string;
  argument?: string;
  environment?: string;
}

/** Settings as `key = value` of local git config, or `scope: key = value`. */
function find(lines: string[], asked: Asked = {}): Endpoint {
  const settings = lines.map((line): Setting => {
    const [, scope = 'local', key = '', value = ''] = /^(?:(\w+): )?(\S+) = (.*)$/.exec(line) ?? [];
    return { scope: scope as Setting['scope'], key, value };
  });
  const { operation = 'download', remote = 'origin', argument, environment } = asked;
  return findEndpoint({ operation, remote, config: configOf(settings), argument, environment });
}

function refusal(lines: string[], asked: Asked = {}): DepotError {
  try {
    const endpoint = find(lines, asked);
    throw new Error(`it was found: ${JSON.stringify(endpoint)}`);
  } catch (error) {
    if (error instanceof DepotError) return error;
    throw error;
  }
}

/** The whole order: each is found once those before it are not set. */
const UPLOAD = [
  'lfs.pushurl',
  'lfs.url',
  'remote.up.lfspushurl',
  'remote.up.lfsurl',
  'remote.up.pushurl',
  'remote.up.url',
  'remote.origin.lfspushurl',
  'remote.origin.lfsurl',
  'remote.origin.pushurl',
  'remote.origin.url',
];
const PUSH_ONLY = /push/;

describe.each([
  { operation: 'upload' as const, order: UPLOAD },
  { operation: 'download' as const, order: UPLOAD.filter((key) => !PUSH_ONLY.test(key)) },
])('$operation', ({ operation, order }) => {
  test.each(order.map((key, index) => ({ key, index })))(
    '$key is found behind those that go before it',
    ({ key, index }) => {
      const lines = order.slice(index).map((set, at) => `${set} = depot::/store/${index + at}`);
      // The order of the lines themselves must not matter.
      for (const given of [lines, [...lines].reverse()]) {
        const endpoint = find(given, { operation, remote: 'up' });
        expect(endpoint.text).toBe(`/store/${index}`);
        expect(endpoint.source).toBe(`${key} in local git config`);
      }
    },
  );

  test('the argument goes before the environment, and that before all settings', () => {
    const lines = ['command: lfs.url = depot::/url', 'lfs.pushurl = depot::/pushurl'];
    expect(find(lines, { operation, argument: '/arg', environment: '/env' })).toMatchObject({
      kind: 'store',
      text: '/arg',
      chosenByUser: true,
    });
    expect(find(lines, { operation, environment: '/env' })).toMatchObject({ text: '/env', chosenByUser: true });
  });
});

test('what is for pushes only is not asked for a download', () => {
  const lines = UPLOAD.filter((key) => PUSH_ONLY.test(key)).map((key) => `${key} = depot::/push`);
  expect(refusal(lines, { remote: 'up' }).kind).toBe('configuration');
  expect(find([...lines, 'remote.origin.url = /srv/git'], { remote: 'up' }).text).toBe('/srv/git');
});

test('of several values of one key the last counts, and a subsection keeps its case', () => {
  expect(find(['lfs.url = depot::/one', 'lfs.url = depot::/two']).text).toBe('/two');
  const lines = ['remote.Up.lfsurl = depot::/upper', 'remote.up.lfsurl = depot::/lower'];
  expect(find(lines, { remote: 'Up' }).text).toBe('/upper');
});

test('a remote may have dots and slashes in its name', () => {
  expect(find(['remote.my.team/art.url = /srv/git'], { remote: 'my.team/art' })).toMatchObject({
    kind: 'repository',
    text: '/srv/git',
  });
});

describe('whose choice it is', () => {
  test.each([
    ['system: lfs.url = depot::/s', true],
    ['global: lfs.url = depot::/s', true],
    ['local: lfs.url = depot::/s', true],
    ['worktree: lfs.url = depot::/s', true],
    ['command: lfs.url = depot::/s', true],
    ['lfsconfig: lfs.url = depot::/s', false],
    ['unknown: lfs.url = depot::/s', false],
    ['lfsconfig: remote.origin.lfsurl = depot::/s', false],
    ['local: remote.origin.lfsurl = depot::/s', true],
    ['local: remote.origin.url = depot::/s', false],
    ['local: remote.origin.url = /srv/git', false],
  ])('%s: %s', (line, chosenByUser) => {
    expect(find([line]).chosenByUser).toBe(chosenByUser);
  });

  test('a message names .lfsconfig by its name', () => {
    expect(find(['lfsconfig: lfs.url = depot::/s']).source).toBe('lfs.url in .lfsconfig');
  });

  test('a location that a clone names is not made the user’s by insteadOf', () => {
    const lines = ['lfsconfig: lfs.url = art:store', 'global: url.depot::/srv/.insteadof = art:'];
    expect(find(lines)).toMatchObject({ kind: 'store', text: '/srv/store', chosenByUser: false });
  });
});

describe('a remote that was typed', () => {
  test.each([
    '/srv/git/art.git',
    '../art.git',
    'file:///srv/git/art',
    'D:/git/art',
    '//server/share/art.git',
    '\\\\server\\share',
  ])('%s is the repository itself', (remote) => {
    expect(find(['remote.origin.url = /other'], { remote })).toMatchObject({
      kind: 'repository',
      text: remote,
      chosenByUser: false,
    });
  });

  test('lfs.url goes before it', () => {
    expect(find(['lfs.url = depot::/store'], { remote: '/srv/git' }).text).toBe('/store');
  });

  test('a plain word that is no remote falls back to origin', () => {
    expect(find(['remote.origin.url = /srv/git'], { remote: 'nobody' }).text).toBe('/srv/git');
    expect(find(['remote.origin.url = /srv/git'], { remote: '' }).text).toBe('/srv/git');
  });

  test('a remote of that very name goes before', () => {
    expect(find(['remote.a/b.lfsurl = depot::/store'], { remote: 'a/b' })).toMatchObject({
      kind: 'store',
      text: '/store',
    });
  });
});

describe('insteadOf', () => {
  test('the longest prefix wins, whatever its place', () => {
    const lines = ['url.depot::/short/.insteadof = art:', 'url.depot::/long/.insteadof = art:big/'];
    for (const given of [lines, [...lines].reverse()]) {
      expect(find(['lfs.url = art:big/x', ...given]).text).toBe('/long/x');
      expect(find(['lfs.url = art:x', ...given]).text).toBe('/short/x');
    }
  });

  test('pushInsteadOf is for uploads, and goes before', () => {
    const lines = ['lfs.url = art:x', 'url.depot::/pull/.insteadof = art:', 'url.depot::/push/.pushinsteadof = art:'];
    expect(find(lines, { operation: 'upload' }).text).toBe('/push/x');
    expect(find(lines, { operation: 'download' }).text).toBe('/pull/x');
  });

  test('it is applied to a remote and to a typed URL, and once only', () => {
    const lines = ['remote.origin.url = gh:x', 'url./srv/.insteadof = gh:', 'url./other/.insteadof = /srv/'];
    expect(find(lines)).toMatchObject({ kind: 'repository', text: '/srv/x' });
    expect(find(lines, { remote: 'gh:y' }).text).toBe('/srv/y');
  });

  test('that it took place is told, and where it is set, without a password', () => {
    const lines = ['lfsconfig: lfs.url = depot::/old/x', 'global: url.depot::/new/.insteadof = depot::/old/'];
    expect(find(lines).source).toBe(
      'lfs.url in .lfsconfig as rewritten by url.depot::/new/.insteadOf in global git config',
    );
    expect(find(lines.slice(0, 1)).source).toBe('lfs.url in .lfsconfig');
    const secret = ['lfs.url = art:x', 'url.https://me:secret@server/.pushinsteadof = art:'];
    expect(refusal(secret, { operation: 'upload' }).why).toContain(
      'url.https://…@server/.pushInsteadOf in local git config',
    );
  });

  test('one that matches nothing, or is empty, changes nothing', () => {
    expect(find(['lfs.url = depot::/x', 'url.depot::/y.insteadof = depot::/z', 'url./evil.insteadof = ']).text).toBe(
      '/x',
    );
  });
});

describe('other LFS servers', () => {
  test.each([
    'https://github.com/a/b.git/info/lfs',
    'http://server/lfs',
    'ssh://git@server/a',
    'git@github.com:a/b.git',
    'git://server/a',
    'git+ssh://server/a',
    's3://bucket/x',
  ])('%s is refused, with what to do', (url) => {
    for (const key of ['lfs.url', 'remote.origin.url']) {
      const error = refusal([`${key} = ${url}`]);
      expect(error.kind).toBe('configuration');
      expect(error.why).toContain(key);
      expect(error.cure).toContain('lfs-depot init');
    }
  });

  test.each([
    'https://user:secret@server/lfs',
    'https://user:sec@secret@server/lfs',
    'ssh://user:secret@server/lfs',
    'https://secret@server/lfs',
    'https://user:secret@server/a@b',
  ])('the password in %s is not told', (url) => {
    const error = refusal([`lfs.url = ${url}`]);
    for (const told of [error.message, error.what, error.why, error.cure]) expect(told).not.toContain('secret');
  });

  test('the same behind depot:: is a location', () => {
    expect(find(['lfs.url = depot::https://dav.example.com/lfs'])).toMatchObject({
      kind: 'store',
      text: 'https://dav.example.com/lfs',
    });
  });

  test('a path that holds an at sign is a path', () => {
    expect(find(['lfs.url = /srv/a@b']).text).toBe('/srv/a@b');
    expect(find(['lfs.url = D:/a@b']).text).toBe('D:/a@b');
    expect(find(['lfs.url = file:///srv/a@b']).text).toBe('file:///srv/a@b');
  });
});

test('nothing set is said, with the command that sets it', () => {
  const error = refusal([]);
  expect(error.kind).toBe('configuration');
  expect(error.cure).toContain('lfs-depot init');
});
