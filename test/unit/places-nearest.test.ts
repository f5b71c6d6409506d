import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { nearestOf } from '../../agent/places/nearest.ts';
import type { Place } from '../../agent/places/place.ts';
import { failing, failure, fakePlace, HANGS } from './places-fakes.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** The names of the places in the order in which they are given. */
async function orderOf(nearest: ReturnType<typeof nearestOf>): Promise<string[]> {
  const names: string[] = [];
  for await (const { place } of nearest()) names.push(place.name);
  return names;
}

function later(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

async function firstOf(nearest: ReturnType<typeof nearestOf>): Promise<Place | undefined> {
  for await (const { place } of nearest()) return place;
  return undefined;
}

test('folders go before servers, and no server is opened while a folder will do', async () => {
  const server = fakePlace('https://near.example/lfs', { role: 'primary' });
  const folder = fakePlace('/srv/lfs');
  const nearest = nearestOf([server, folder]);
  expect(await firstOf(nearest)).toBe(folder);
  expect(await firstOf(nearest)).toBe(folder);
  expect(server.asked).toEqual([]);
  expect(await orderOf(nearest)).toEqual([folder.name, server.name]);
});

test('no second folder is opened while the first has what is asked for', async () => {
  const [first, second, third] = [fakePlace('/srv/a'), fakePlace('/srv/b'), fakePlace('/srv/c')];
  const nearest = nearestOf([first, second, third]);
  for (let object = 0; object < 3; object++) expect(await firstOf(nearest)).toBe(first);
  expect([first, second, third].map(({ asked }) => asked)).toEqual([['open'], [], []]);
  // One that hangs holds a thread: where the first has not got it, one more is opened, and not all.
  const order = nearest();
  await order.next();
  expect((await order.next()).value).toMatchObject({ place: second });
  expect(third.asked).toEqual([]);
});

test('folders that hang hold nobody up for longer than three seconds each', async () => {
  const hanging = [fakePlace('/srv/a', { opening: HANGS }), fakePlace('/srv/b', { opening: HANGS })];
  const server = fakePlace('https://h.example/lfs', { role: 'primary' });
  const found = firstOf(nearestOf([server, ...hanging]));
  await vi.advanceTimersByTimeAsync(2900);
  expect(hanging.map(({ asked }) => asked)).toEqual([['open'], []]);
  await vi.advanceTimersByTimeAsync(2900);
  expect(hanging.map(({ asked }) => asked)).toEqual([['open'], ['open']]);
  expect(server.asked).toEqual([]);
  await vi.advanceTimersByTimeAsync(300);
  expect(await found).toBe(server);
});

test('a share is as far as a server', async () => {
  const share = fakePlace('//server/share/lfs', { role: 'primary' });
  const folder = fakePlace('/srv/lfs');
  expect(await orderOf(nearestOf([share, folder]))).toEqual([folder.name, share.name]);
});

test('of servers the one that answers first is asked first, from then on', async () => {
  const slow = later();
  const first = fakePlace('https://slow.example/lfs', { role: 'primary', opening: slow.promise });
  const second = fakePlace('https://quick.example/lfs');
  const nearest = nearestOf([first, second]);
  expect(await firstOf(nearest)).toBe(second);
  slow.resolve();
  expect(await orderOf(nearest)).toEqual([second.name, first.name]);
  expect(first.asked).toEqual(['open']);
});

test('a folder that does not open keeps the servers from being asked for three seconds only', async () => {
  const folder = fakePlace('/srv/lfs', { opening: HANGS });
  const server = fakePlace('https://h.example/lfs');
  const found = firstOf(nearestOf([folder, server]));
  await vi.advanceTimersByTimeAsync(2900);
  expect(server.asked).toEqual([]);
  await vi.advanceTimersByTimeAsync(200);
  expect(await found).toBe(server);
});

test('a folder that opens late is asked in the end', async () => {
  const late = later();
  const folder = fakePlace('/srv/lfs', { opening: late.promise });
  const server = fakePlace('https://h.example/lfs');
  const order = orderOf(nearestOf([folder, server]));
  await vi.advanceTimersByTimeAsync(60_000);
  late.resolve();
  expect(await order).toEqual([server.name, folder.name]);
});

test('what cannot be opened is passed over, and what is in trouble later is left alone', async () => {
  const broken = fakePlace('/srv/broken', { opening: failing('no-store', '/srv/broken') });
  const folder = fakePlace('/srv/lfs');
  const server = fakePlace('https://h.example/lfs');
  const nearest = nearestOf([broken, folder, server]);
  expect(await orderOf(nearest)).toEqual([folder.name, server.name]);
  folder.blame(failure('unreachable', folder.name));
  expect(await orderOf(nearest)).toEqual([server.name]);
  expect(broken.asked).toEqual(['open']);
});

test('where none can be opened there is none', async () => {
  const places = ['/srv/a', 'https://b.example/'].map((text) =>
    fakePlace(text, { opening: failing('unreachable', text) }),
  );
  expect(await orderOf(nearestOf(places))).toEqual([]);
});

test('several that ask at once all get all, and each is opened once', async () => {
  const places = [fakePlace('/srv/a'), fakePlace('/srv/b'), fakePlace('https://c.example/')];
  const nearest = nearestOf(places);
  const orders = await Promise.all([orderOf(nearest), orderOf(nearest), orderOf(nearest)]);
  for (const order of orders) expect(order.sort()).toEqual(places.map(({ name }) => name).sort());
  for (const { asked } of places) expect(asked).toEqual(['open']);
});
