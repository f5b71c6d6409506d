import { beforeEach, describe, expect, test } from 'vitest';
import type { Oid } from '../../agent/oid.ts';
import type { WriteRule } from '../../agent/places/places.ts';
import { writerOf } from '../../agent/places/write.ts';
import type { Kind } from '../../backends/errors.ts';
import { type FakeOptions, type FakePlace, failing, failure, fakePlace } from './places-fakes.ts';

const OID = 'ab'.repeat(32) as Oid;
const SIZE = 40;
const PRIMARY: WriteRule = { to: 'primary', quorum: undefined };
const ALL: WriteRule = { to: 'all', quorum: undefined };
const quorum = (count: number): WriteRule => ({ to: 'all', quorum: count });

let told: [string, string][];
let primary: FakePlace;
let mirrors: FakePlace[];
beforeEach(() => {
  told = [];
  primary = empty('/srv/store', { role: 'primary' });
  mirrors = [empty('/srv/one'), empty('/srv/two')];
});

function empty(text: string, options: FakeOptions = {}): FakePlace {
  return fakePlace(text, { copy: 'absent', ...options });
}

function writer(rule: WriteRule, refused: string[] = []) {
  const texts = refused.map((text) => ({ text, error: failure('untrusted', text) }));
  const put = writerOf({ primary, mirrors, refused: texts, rule }, (name, text) => told.push([name, text]));
  return (onProgress?: (bytes: number) => void, signal?: AbortSignal) =>
    put(OID, SIZE, '/no/such/file', { onProgress, signal });
}

/** Which of the three have the object: the store first. */
const held = (): boolean[] => [primary, ...mirrors].map(({ copy }) => copy === 'good');

test('by default the store alone is written to, and no mirror is opened', async () => {
  expect(await writer(PRIMARY)()).toBe('stored');
  expect(held()).toEqual([true, false, false]);
  expect(mirrors.flatMap(({ asked }) => asked)).toEqual([]);
});

test('with depot.write=all, all are', async () => {
  expect(await writer(ALL)()).toBe('stored');
  expect(held()).toEqual([true, true, true]);
  expect(told).toEqual([]);
});

test('what became of it is what the store says', async () => {
  primary.copy = 'good';
  expect(await writer(ALL)()).toBe('present');
});

test.each<Kind>(['unreachable', 'denied', 'no-space', 'corrupt', 'conflict'])(
  'without a quorum the store decides: %s',
  async (kind) => {
    primary.refuses = kind;
    await expect(writer(ALL)()).rejects.toMatchObject({ kind, message: `cannot use /srv/store: it is ${kind}` });
    primary = empty('/srv/store', { role: 'primary' });
    for (const mirror of mirrors) mirror.refuses = kind;
    expect(await writer(ALL)()).toBe('stored');
  },
);

test('each mirror that goes without is told of, once, by a name of its own', async () => {
  for (const mirror of mirrors) mirror.refuses = 'denied';
  const put = writer(ALL);
  await put();
  await put();
  expect(told.map(([, text]) => text)).toEqual(
    mirrors.map(({ name }) => `${name} does not get what is pushed now (it is denied): run \`lfs-depot sync\` later`),
  );
  expect(new Set(told.map(([name]) => name)).size).toBe(2);
});

test('a place that is out of reach is tried once', async () => {
  mirrors[0]!.refuses = 'unreachable';
  mirrors[1] = empty('/srv/two', { opening: failing('no-store', '/srv/two') });
  const put = writer(ALL);
  for (let n = 0; n < 3; n++) await put();
  expect(mirrors.map(({ asked }) => asked)).toEqual([['open', 'put'], ['open']]);
});

describe('a quorum', () => {
  test.each([
    [1, 0, true],
    [1, 2, true],
    [1, 3, false],
    [2, 1, true],
    [2, 2, false],
    [3, 0, true],
    [3, 1, false],
  ])('of %i with %i of three places gone', async (count, gone, isEnough) => {
    // The store first: it counts as any other.
    for (const place of [primary, ...mirrors].slice(0, gone)) place.refuses = 'unreachable';
    const put = writer(quorum(count))();
    if (isEnough) expect(await put).toBe('stored');
    else await expect(put).rejects.toMatchObject({ kind: 'unreachable' });
  });

  test('that is not reached is named, with the places that failed', async () => {
    mirrors[0]!.refuses = 'denied';
    const message = `cannot store ${OID} in 3 places, as depot.quorum says: /srv/one: it is denied`;
    await expect(writer(quorum(3))()).rejects.toMatchObject({ message, cure: 'cure of denied' });
  });

  test('of more places than there are is a mistake of the configuration, before anything is opened', async () => {
    const put = writer(quorum(4), ['/srv/refused']);
    const why = 'it says 4, and there are 3, and 1 more that cannot be used: see lfs-depot mirror list';
    await expect(put()).rejects.toMatchObject({ kind: 'configuration', why, cure: /mirror add/ });
    await expect(put()).rejects.toMatchObject({ kind: 'configuration', why, cure: '' });
    expect([primary, ...mirrors].flatMap(({ asked }) => asked)).toEqual([]);
  });

  test('counts one store by two names once, whatever their number', async () => {
    primary = empty('/srv/store', { role: 'primary', id: 'the same' });
    mirrors = [empty('/srv/link-to-it', { id: 'the same' })];
    const why = expect.stringContaining('one store by two names: there is 1 copy in all');
    const put = writer(quorum(2));
    // The second time it is there already, which is one copy as well.
    for (let n = 0; n < 2; n++)
      await expect(put()).rejects.toMatchObject({ kind: 'configuration', why, cure: /doctor/ });
    mirrors.push(empty('/srv/other', { id: 'another' }));
    expect(await writer(quorum(2))()).toBe('present');
    const short = expect.stringContaining('there are 2 copies in all');
    await expect(writer(quorum(3))()).rejects.toMatchObject({ kind: 'configuration', why: short });
  });

  test('does not keep anybody from reading', () => {
    // This alone is done for who reads.
    expect(() => writer(quorum(4))).not.toThrow();
  });
});

test('cancelled is cancelled, whatever else failed, and tells nothing', async () => {
  primary.refuses = 'unreachable';
  mirrors[0]!.refuses = 'cancelled';
  await expect(writer(quorum(1))()).rejects.toMatchObject({ kind: 'cancelled' });
  expect(told).toEqual([]);
});

test('the meter is that of the slowest that is still in the race', async () => {
  mirrors.pop();
  primary.progress = [10, 20, 30];
  mirrors[0]!.progress = [5, 15];
  const bytes: number[] = [];
  await writer(ALL)((moved) => bytes.push(moved));
  expect(bytes.at(-1)).toBe(SIZE);
  expect(bytes).toEqual([...bytes].sort((one, other) => one - other));
  expect(bytes).toContain(5);
  expect(bytes).not.toContain(30);

  primary = empty('/srv/store', { role: 'primary' });
  primary.progress = [10, 20, 30];
  mirrors = [empty('/srv/one')];
  mirrors[0]!.progress = [5];
  mirrors[0]!.refuses = 'unreachable';
  const alone: number[] = [];
  await writer(ALL)((moved) => alone.push(moved));
  // The one that failed holds it up no longer.
  expect(alone.at(-1)).toBe(SIZE);
});
