import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { STALL, unlessStalled } from '../../agent/places/stalling.ts';
import type { CallOptions } from '../../backends/backend.ts';
import { cancelled } from '../../backends/errors.ts';

const WHAT = 'cannot fetch it from /srv/far';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Work that does nothing by itself: what it was given, and the two ends it can come to. */
function begin(outer: CallOptions = {}, limit?: number) {
  let given: CallOptions = {};
  let resolve: (value: string) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const outcome = unlessStalled(
    WHAT,
    outer,
    (options) => {
      given = options;
      return new Promise<string>((...ends) => {
        [resolve, reject] = ends;
      });
    },
    limit,
  );
  let isOver = false;
  const end = (): void => {
    isOver = true;
  };
  outcome.then(end, end);
  return { outcome, work: { resolve, reject }, given, isOver: () => isOver };
}

test('work in which nothing moves is given up after the limit, and told to stop', async () => {
  const { outcome, given, isOver } = begin();
  await vi.advanceTimersByTimeAsync(STALL - 1);
  expect([isOver(), given.signal?.aborted]).toEqual([false, false]);
  await vi.advanceTimersByTimeAsync(1);
  const why = `nothing has moved for ${STALL / 1000} seconds`;
  await expect(outcome).rejects.toMatchObject({ kind: 'unreachable', what: WHAT, why, temporary: true });
  expect(given.signal?.aborted).toBe(true);
});

test('work that moves is not, however long it takes', async () => {
  const told: number[] = [];
  const { outcome, given, work, isOver } = begin({ onProgress: (bytes) => told.push(bytes) }, 1000);
  for (let bytes = 1; bytes <= 5; bytes++) {
    await vi.advanceTimersByTimeAsync(900);
    given.onProgress?.(bytes);
  }
  expect([isOver(), given.signal?.aborted]).toEqual([false, false]);
  expect(told).toEqual([1, 2, 3, 4, 5]);
  work.resolve('done');
  expect(await outcome).toBe('done');
});

test('work that moved, and then stands still, is', async () => {
  const { outcome, given, isOver } = begin({}, 1000);
  await vi.advanceTimersByTimeAsync(900);
  given.onProgress?.(1);
  await vi.advanceTimersByTimeAsync(999);
  expect(isOver()).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  await expect(outcome).rejects.toMatchObject({ kind: 'unreachable' });
});

test('what comes of it is passed on, and nothing is left behind that would keep the process', async () => {
  const good = begin();
  good.work.resolve('good');
  expect(await good.outcome).toBe('good');
  const bad = begin();
  const error = new Error('its own');
  bad.work.reject(error);
  await expect(bad.outcome).rejects.toBe(error);
  expect(vi.getTimerCount()).toBe(0);
  // Done is done: nobody is told to stop later.
  await vi.advanceTimersByTimeAsync(2 * STALL);
  expect([good.given.signal?.aborted, bad.given.signal?.aborted]).toEqual([false, false]);
});

test('a cancel from outside reaches the work', async () => {
  const controller = new AbortController();
  const { outcome, given, work } = begin({ signal: controller.signal });
  given.signal?.addEventListener('abort', () => work.reject(cancelled(WHAT)));
  controller.abort();
  await expect(outcome).rejects.toMatchObject({ kind: 'cancelled' });
  expect(vi.getTimerCount()).toBe(0);
});

test('what the work fails with after it was given up is of no matter', async () => {
  const { outcome, work } = begin({}, 10);
  const failed = expect(outcome).rejects.toMatchObject({ kind: 'unreachable' });
  await vi.advanceTimersByTimeAsync(10);
  await failed;
  // Were it not handled, the test run would fail.
  work.reject(new Error('late'));
  await vi.advanceTimersByTimeAsync(10);
});
