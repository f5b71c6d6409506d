import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { configOf, type Setting } from '../../agent/config.ts';
import type { Endpoint } from '../../agent/endpoint.ts';
import { MARKER } from '../../agent/marker.ts';
import { placeAt } from '../../agent/places/place.ts';
import { type Places, placesOf } from '../../agent/places/places.ts';
import type { Operation } from '../../agent/protocol.ts';
import { parseLocation } from '../../backends/location.ts';
import { failure } from './places-fakes.ts';

const ENDPOINT: Endpoint = { kind: 'store', text: '/srv/store', source: 'lfs.url', instead: false, chosenByUser: true };

function setting(key: string, value: string, scope: Setting['scope'] = 'lfsdepot'): Setting {
  return { key, value, scope };
}

function places(settings: Setting[], endpoint: Partial<Endpoint> = {}): Places {
  return placesOf({ ...ENDPOINT, ...endpoint }, configOf(settings), '/home/me/clone');
}

const mirrorsOf = ({ mirrors }: Places): string[] => mirrors.map(({ name }) => name);
const trusted = (location: string): Setting => setting('depot.trusted', location, 'global');

describe('mirrors', () => {
  test('of .lfsdepot are used when they are trusted, and else refused, each by itself', () => {
    const found = places([
      trusted('/srv/one'),
      ...['/srv/one', '/srv/two', 'https://h.example/x'].map((location) => setting('depot.mirror', location)),
    ]);
    expect(mirrorsOf(found)).toEqual(['/srv/one']);
    expect(found.refused.map(({ text, error }) => [text, error.kind])).toEqual([
      ['/srv/two', 'untrusted'],
      ['https://h.example/x', 'untrusted'],
    ]);
  });

  test.each(['system', 'global', 'local', 'worktree', 'command'] as const)(
    'of %s git config need no trust',
    (scope) => {
      expect(mirrorsOf(places([setting('depot.mirror', '/srv/one', scope)]))).toEqual(['/srv/one']);
    },
  );

  test('of a scope that git does not tell need trust', () => {
    expect(places([setting('depot.mirror', '/srv/one', 'unknown')]).refused).toHaveLength(1);
  });

  test('that are the store, or named twice, count once', () => {
    const names = ['/srv/store', 'file:///srv/store/', '/srv/one', '/srv/../srv/one/'];
    const found = places(names.map((name) => setting('depot.mirror', name, 'local')));
    expect([mirrorsOf(found), found.refused]).toEqual([['/srv/one'], []]);
  });

  test('that cannot be read are refused, without what is secret in them', () => {
    const { refused } = places([setting('depot.mirror', 'https://u:s3cret@h.example/x', 'local')]);
    expect(refused.map(({ error }) => error.kind)).toEqual(['configuration']);
    expect(JSON.stringify(refused.map(({ text, error }) => [text, error.message, error.cure]))).not.toContain('s3cret');
  });

  test('of which a repository names too many do not crowd out those of one’s own', () => {
    const many = Array.from({ length: 3000 }, (_, index) => setting('depot.mirror', `/srv/evil-${index}`));
    // As settings are read: those of the repository first.
    const found = places([...many, setting('depot.mirror', '/srv/own', 'global')]);
    expect(mirrorsOf(found)).toEqual(['/srv/own']);
    expect(found.refused).toHaveLength(15);
  });

  test('are found where url.*.insteadOf says, and it is that place which needs trust', () => {
    const settings = [
      setting('url.depot::/mnt/nas/.insteadof', 'depot:://nas/lfs/', 'global'),
      setting('depot.mirror', '//nas/lfs/art'),
    ];
    expect(places([...settings, trusted('//nas/lfs')]).refused.map(({ error }) => error.kind)).toEqual(['untrusted']);
    expect(mirrorsOf(places([...settings, trusted('/mnt/nas')]))).toEqual(['/mnt/nas/art']);
  });

  test('and rules count no more when one location is named instead of all', () => {
    const settings = [setting('depot.mirror', '/srv/one', 'local'), setting('depot.quorum', '9', 'local')];
    const found = places(settings, { instead: true });
    expect([mirrorsOf(found), found.refused, found.rule]).toEqual([[], [], { to: 'primary', quorum: undefined }]);
  });
});

describe('a push goes', () => {
  test.each<[Setting[], Places['rule']]>([
    [[], { to: 'primary', quorum: undefined }],
    [[setting('depot.write', 'primary')], { to: 'primary', quorum: undefined }],
    [[setting('depot.write', 'ALL')], { to: 'all', quorum: undefined }],
    [[setting('depot.quorum', '2')], { to: 'all', quorum: 2 }],
    [[setting('depot.write', 'primary'), setting('depot.quorum', '1')], { to: 'all', quorum: 1 }],
    [[setting('depot.write', 'all'), setting('depot.write', 'primary', 'local')], { to: 'primary', quorum: undefined }],
  ])('by %j to %j', (settings, rule) => {
    expect(places(settings).rule).toEqual(rule);
  });

  test.each([
    ['depot.write', 'both'],
    ['depot.quorum', '0'],
    ['depot.quorum', '-1'],
    ['depot.quorum', '1.5'],
    ['depot.quorum', 'most'],
  ])('nowhere by %s = %s: that is a mistake', (key, value) => {
    const found = places([setting(key, value), setting('depot.mirror', '/srv/one', 'local')]);
    // Who only reads does not look at it, and has the mirrors.
    expect(mirrorsOf(found)).toEqual(['/srv/one']);
    const cure = expect.stringContaining(`git config --file .lfsdepot --get-all ${key}`);
    expect(() => found.rule).toThrow(expect.objectContaining({ kind: 'configuration', cure }));
  });

  test('nowhere by a mistake in one’s own git config, which the hint finds, too', () => {
    const cure = expect.stringContaining('git config --show-origin --get-all depot.quorum');
    expect(() => places([setting('depot.quorum', 'x', 'local')]).rule).toThrow(expect.objectContaining({ cure }));
  });
});

describe('a store that says 503 to everything is asked again', () => {
  // A fake: no real server says so on demand.
  let server: Server;
  let asked: number;
  beforeEach(async () => {
    asked = 0;
    server = createServer(({ method }, response) => {
      if (method === 'GET') asked++;
      response.writeHead(503).end();
    });
    await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
  });
  afterEach(() => void server.close());

  const text = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/lfs`;
  const mirror = setting('depot.mirror', '/srv/one', 'local');
  const untrusted = setting('depot.mirror', '/srv/one');

  test.each<[number, string, Operation, Setting[]]>([
    [6, 'a push, which has nowhere else to go', 'upload', [mirror]],
    [6, 'a clone without another place to ask', 'download', []],
    [6, 'a clone whose only mirror is not used', 'download', [untrusted]],
    [3, 'a clone with another place to ask', 'download', [mirror]],
  ])('%i times by %s', async (times, _, operation, settings) => {
    const config = configOf([setting('depot.retrypause', '1', 'local'), ...settings]);
    const { primary } = placesOf({ ...ENDPOINT, text: text() }, config, '/home/me/clone', operation);
    await expect(primary.open()).rejects.toMatchObject({ kind: 'unreachable' });
    expect(asked).toBe(1 + times);
  });

  test('no more often than the user has set, either', async () => {
    const config = configOf([
      setting('depot.retries', '1', 'local'),
      setting('depot.retrypause', '1', 'local'),
      mirror,
    ]);
    const { primary } = placesOf({ ...ENDPOINT, text: text() }, config, '/home/me/clone', 'download');
    await expect(primary.open()).rejects.toMatchObject({ kind: 'unreachable' });
    expect(asked).toBe(2);
  });
});

describe('a place', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'depot-place-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const at = (path: string) => {
    const location = parseLocation(path, { platform: process.platform, home: '/home/me' });
    return placeAt({ role: 'mirror', kind: 'store', location }, configOf([setting('depot.retries', '0', 'local')]));
  };

  test.each<[string, string, () => void]>([
    ['is not there', 'no-store', () => rmSync(join(folder, 'store'), { recursive: true })],
    ['has no marker', 'no-store', () => {}],
    ['has a damaged marker', 'corrupt', () => writeFileSync(join(folder, 'store', MARKER), '{')],
    ['is of a later format', 'unsupported', () => writeFileSync(join(folder, 'store', MARKER), '{"format": 99}')],
  ])('that %s is in trouble once it was to be opened, and fails the same way again', async (_, kind, prepare) => {
    mkdirSync(join(folder, 'store'));
    prepare();
    const place = at(join(folder, 'store'));
    expect(place.trouble).toBeUndefined();
    const first = await place.open().catch((error) => error);
    expect(first).toMatchObject({ kind });
    expect(place.trouble).toBe(first);
    expect(await place.open().catch((error) => error)).toBe(first);
  });

  test('is in trouble by what says more of it than of one object', () => {
    for (const kind of ['absent', 'corrupt', 'denied', 'conflict', 'no-space', 'cancelled', 'internal'] as const) {
      const place = at(folder);
      place.blame(failure(kind, folder));
      expect([kind, place.trouble]).toEqual([kind, undefined]);
    }
    const place = at(folder);
    place.blame(new Error('not ours'));
    expect(place.trouble).toBeUndefined();
    const first = failure('credentials', folder);
    for (const error of [first, failure('unreachable', folder)]) place.blame(error);
    expect(place.trouble).toBe(first);
  });
});
