import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Backend, CallOptions, Entry } from '../../backends/backend.ts';
import { DepotError, type Kind } from '../../backends/errors.ts';
import { exhaust, isExhausted } from '../../backends/exhausted.ts';
import { retrying } from '../../backends/layers/retry.ts';
import type { Retries } from '../../backends/retries.ts';
import { expectFailure } from '../conformance/failure.ts';
import { memoryStorage } from '../conformance/memory.ts';
import { ANCHOR } from '../conformance/storage.ts';

/** The layer alone, over a fake in memory of which one verb does as a test says. */

const QUICK: Retries = { count: 3, pause: 1 };

function trouble(kind: Kind = 'unreachable', temporary = true): DepotError {
  return new DepotError(kind, { what: 'cannot read x', why: 'a bad moment', cure: 'wait', temporary });
}

/** What a call does, in turn; the last for ever. `fails`: each time with a new error, as storage does. */
type Turn = DepotError | 'works' | 'fails' | ((options: CallOptions) => unknown);

/** A `read`, and a `stat`, that behave so, and the number of calls. */
async function bench(
  turns: Turn[],
  retries: Partial<Retries> = {},
  beforehand: 'reached' | 'never reached' = 'reached',
) {
  const inner = memoryStorage().open();
  await inner.create();
  await inner.write(ANCHOR, Buffer.from('{}'));
  const made = { calls: 0, lines: [] as string[] };
  const read: Backend['read'] = async (path, options = {}) => {
    const turn = turns[Math.min(made.calls++, turns.length - 1)]!;
    if (turn === 'fails') throw trouble();
    if (turn instanceof DepotError) throw turn;
    if (turn !== 'works') await turn(options);
    return inner.read(path, options);
  };
  const layer = { ...QUICK, onRetry: (line: string) => made.lines.push(line), ...retries };
  const backend = retrying({ ...inner, read }, layer);
  if (beforehand === 'reached') await backend.stat(ANCHOR);
  return Object.assign(made, { backend, go: (options?: CallOptions) => backend.read(ANCHOR, options) });
}

describe('what is called again', () => {
  test.each<Kind>(['absent', 'corrupt', 'denied', 'no-space', 'no-store', 'unreachable', 'conflict'])(
    'a permanent failure (%s) is told at once',
    async (kind) => {
      const error = trouble(kind, false);
      const told = await bench([error]);
      await expect(told.go()).rejects.toBe(error);
      expect(told.calls).toBe(1);
      expect(told.lines).toEqual([]);
    },
  );

  test('so is what is no failure of the storage at all', async () => {
    for (const error of [new Error('a mistake'), new TypeError('a mistake'), 'not even an error']) {
      const told = await bench([
        () => {
          throw error;
        },
      ]);
      await expect(told.go()).rejects.toBe(error);
      expect(told.calls).toBe(1);
    }
  });

  test.each([0, 1, 3, 8])('a temporary one is repeated %i times, each told in one line', async (count) => {
    const error = trouble();
    const told = await bench([error], { count });
    await expect(told.go()).rejects.toBe(error);
    expect(told.calls).toBe(count + 1);
    const tries = Array.from({ length: count }, (_, index) => `attempt ${index + 1} of ${count + 1} failed`);
    expect(told.lines).toEqual(tries.map((line) => `${line}, and is repeated: cannot read x: a bad moment`));
  });

  test('one that passes is nothing to the caller', async () => {
    const told = await bench([trouble(), trouble('conflict'), 'works']);
    expect((await told.go())?.toString()).toBe('{}');
    expect(told.calls).toBe(3);
    expect(told.lines).toHaveLength(2);
  });

  test('a permanent one that follows on temporary ones ends it', async () => {
    const error = trouble('denied', false);
    const told = await bench([trouble(), error]);
    await expect(told.go()).rejects.toBe(error);
    expect(told.calls).toBe(2);
    expect(isExhausted(error)).toBe(false);
  });

  test('what was repeated below until it was given up is not repeated, and what is given up here is not repeated above', async () => {
    const below = await bench([exhaust(trouble())]);
    await expectFailure(below.go(), 'unreachable');
    expect(below.calls).toBe(1);

    const twice = await bench([trouble()], { count: 2 });
    const outer = retrying(twice.backend, QUICK);
    await outer.stat(ANCHOR);
    await expectFailure(outer.read(ANCHOR), 'unreachable');
    expect(twice.calls).toBe(3);
  });
});

describe('how many tries', () => {
  test('what has never answered gets three', async () => {
    const told = await bench(['fails'], { count: 6 }, 'never reached');
    await expectFailure(told.go(), 'unreachable');
    expect(told.calls).toBe(3);
    expect(told.lines.at(-1)).toContain('attempt 2 of 3');
  });

  test.each<[string, DepotError]>([
    ['a refusal', trouble('denied', false)],
    ['"absent"', trouble('absent', false)],
  ])('%s is an answer: from then on there are all', async (_, error) => {
    const told = await bench([error, 'fails'], { count: 6 }, 'never reached');
    await expect(told.go()).rejects.toBe(error);
    await expectFailure(told.go(), 'unreachable');
    expect(told.calls).toBe(1 + 7);
  });

  test('a file that is held is an answer, too, also the first', async () => {
    const told = await bench([trouble('conflict')], { count: 6 }, 'never reached');
    await expectFailure(told.go(), 'conflict');
    expect(told.calls).toBe(7);
  });

  test('a name that does not exist is none', async () => {
    const told = await bench([trouble('unreachable', false), 'fails'], { count: 6 }, 'never reached');
    await expectFailure(told.go(), 'unreachable');
    await expectFailure(told.go(), 'unreachable');
    expect(told.calls).toBe(1 + 3);
  });

  test('after waiting in vain there is one, until one succeeds', async () => {
    const told = await bench(['fails', 'fails', 'fails', 'fails', 'fails', 'works', 'fails', 'works']);
    await expectFailure(told.go(), 'unreachable');
    expect(told.calls).toBe(4);
    await expectFailure(told.go(), 'unreachable');
    expect(told.calls).toBe(5);
    await told.go();
    expect(told.calls).toBe(6);
    await told.go();
    expect(told.calls).toBe(8);
  });

  test('a look that succeeds is no reason to wait again for what was waited for in vain', async () => {
    const told = await bench(['fails']);
    await expectFailure(told.go(), 'unreachable');
    for (let object = 0; object < 10; object++) {
      await told.backend.stat(ANCHOR);
      await expectFailure(told.go(), 'unreachable');
    }
    expect(told.calls).toBe(4 + 10);
  });
});

describe('the pauses', () => {
  let pauses: number[] = [];
  beforeEach(() => {
    pauses = [];
    const { setTimeout: real } = globalThis;
    vi.spyOn(globalThis, 'setTimeout').mockImplementation(((work: () => void, milliseconds: number) => {
      pauses.push(milliseconds);
      return real(work, 0);
    }) as typeof setTimeout);
  });
  afterEach(() => vi.restoreAllMocks());

  test('double, and each lasts between once and twice of that', async () => {
    const told = await bench(['fails'], { count: 6, pause: 500 });
    await expectFailure(told.go(), 'unreachable');
    expect(pauses).toHaveLength(6);
    for (const [index, pause] of pauses.entries()) {
      expect(pause).toBeGreaterThanOrEqual(500 * 2 ** index);
      expect(pause).toBeLessThanOrEqual(Math.min(1000 * 2 ** index, 30_000));
    }
  });

  test('are not the same for everybody', async () => {
    for (let user = 0; user < 20; user++) {
      const told = await bench(['fails'], { count: 1, pause: 1000 });
      await expectFailure(told.go(), 'unreachable');
    }
    expect(new Set(pauses).size).toBeGreaterThan(5);
  });

  test('end at half a minute, unless the first was set to more', async () => {
    const many = await bench(['fails'], { count: 12, pause: 500 });
    await expectFailure(many.go(), 'unreachable');
    expect(Math.max(...pauses)).toBe(30_000);
    pauses = [];
    const long = await bench(['fails'], { count: 3, pause: 60_000 });
    await expectFailure(long.go(), 'unreachable');
    expect(pauses).toEqual([60_000, 60_000, 60_000]);
  });
});

describe('the time without a sign of life', () => {
  /** Milliseconds by the clock that the layer looks at, which stands still but for what a test adds. */
  let now = 1000;
  beforeEach(() => {
    now = 1000;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
  });
  afterEach(() => vi.restoreAllMocks());

  const after = (milliseconds: number, bytes?: number): Turn => {
    return ({ onProgress }) => {
      if (bytes !== undefined) onProgress?.(bytes);
      now += milliseconds;
      throw trouble();
    };
  };

  test('ends the repetitions, counted from the first failure', async () => {
    const told = await bench([after(60_000)], { count: 100, timeout: 120_000 });
    await expectFailure(told.go(), 'unreachable');
    // The first failure starts the clock; 60 and 120 seconds later come the second and the third.
    expect(told.calls).toBe(3);
  });

  test('begins anew with each byte, also with one that was told before', async () => {
    const told = await bench([after(60_000, 10), after(60_000, 5), after(60_000, 5), after(60_000, 7), after(60_000)], {
      count: 100,
      timeout: 120_000,
    });
    await expectFailure(told.go(), 'unreachable');
    expect(told.calls).toBe(6);
  });

  test('of 0 means that nothing is repeated', async () => {
    const told = await bench(['fails'], { timeout: 0 });
    await expectFailure(told.go(), 'unreachable');
    expect(told.calls).toBe(1);
    expect(told.lines).toEqual([]);
  });
});

describe('a cancel', () => {
  test('in a pause ends it at once, and no further call is made', async () => {
    const controller = new AbortController();
    // A pause of an hour: that the call returns shows that it was cut short.
    const told = await bench(['fails'], {
      pause: 3_600_000,
      onRetry: () => setTimeout(() => controller.abort(), 20),
    });
    const error = await expectFailure(told.go({ signal: controller.signal }), 'cancelled');
    expect(error.what).toBe('cannot read x');
    expect(told.calls).toBe(1);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  });

  test('during a try that then fails as the storage does is a cancel all the same', async () => {
    for (const [failuresBefore, count] of [
      [0, 3],
      [1, 3],
      [0, 0],
    ] as const) {
      const controller = new AbortController();
      const cancel = (): never => {
        controller.abort();
        throw trouble();
      };
      const told = await bench([...Array.from({ length: failuresBefore }, () => trouble()), cancel], { count });
      await expectFailure(told.go({ signal: controller.signal }), 'cancelled');
      expect(told.calls).toBe(failuresBefore + 1);
    }
  });

  test('is no reason to have less patience the next time', async () => {
    const controller = new AbortController();
    const told = await bench(['fails'], { onRetry: () => controller.abort() });
    await expectFailure(told.go({ signal: controller.signal }), 'cancelled');
    await expectFailure(told.go(), 'unreachable');
    expect(told.calls).toBe(1 + 4);
  });
});

test('progress of several tries is one line that rises', async () => {
  const tell = (...bytes: number[]): Turn => {
    return ({ onProgress }) => {
      for (const each of bytes) onProgress?.(each);
      if (bytes.at(-1) !== 9) throw trouble();
    };
  };
  const told: number[] = [];
  const calls = await bench([tell(0, 2, 4), tell(0, 1, 3, 5), tell(), tell(0, 5, 7, 9)]);
  await calls.go({ onProgress: (bytes) => told.push(bytes) });
  expect(told).toEqual([0, 2, 4, 5, 7, 9]);
});

describe('a list', () => {
  const entry = (path: string): Entry => ({ path, size: 1, version: '1' });

  /** Lists that yield what is given, and end with a failure where that is the last. */
  async function listing(...lists: (Entry | DepotError)[][]) {
    const inner = memoryStorage().open();
    const made = { begun: 0, left: 0 };
    const list: Backend['list'] = async function* () {
      const content = lists[Math.min(made.begun++, lists.length - 1)]!;
      try {
        for (const each of content) {
          if (each instanceof DepotError) throw each;
          yield each;
        }
      } finally {
        made.left++;
      }
    };
    return Object.assign(made, { backend: retrying({ ...inner, list }, QUICK) });
  }

  async function pathsOf(backend: Backend, into: string[] = []): Promise<string[]> {
    for await (const { path } of backend.list('')) into.push(path);
    return into;
  }

  test('is begun again before its first entry', async () => {
    const told = await listing([trouble()], [trouble()], [entry('a'), entry('b')]);
    expect(await pathsOf(told.backend)).toEqual(['a', 'b']);
    expect(told).toMatchObject({ begun: 3, left: 3 });
  });

  test('that breaks off later ends with that, and no entry comes twice', async () => {
    const told = await listing([entry('a'), trouble()], [entry('a'), entry('b')]);
    const seen: string[] = [];
    await expectFailure(pathsOf(told.backend, seen), 'unreachable');
    expect(seen).toEqual(['a']);
    expect(told.begun).toBe(1);
  });

  test.each([1, 2])('that is left after %i entries is left below, too', async (count) => {
    const told = await listing([entry('a'), entry('b'), entry('c')]);
    let seen = 0;
    for await (const _ of told.backend.list('')) if (++seen === count) break;
    expect(told).toMatchObject({ begun: 1, left: 1 });
  });

  test('of nothing is no failure', async () => {
    const told = await listing([]);
    expect(await pathsOf(told.backend)).toEqual([]);
    expect(told.begun).toBe(1);
  });
});
