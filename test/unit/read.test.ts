import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { notice } from '../../agent/notice.ts';
import type { Oid } from '../../agent/oid.ts';
import { readerOf } from '../../agent/places/read.ts';
import { STALL } from '../../agent/places/stalling.ts';
import { type Copy, type FakePlace, failing, failure, fakePlace } from './places-fakes.ts';

// What would be written to the terminal, if there is one.
vi.mock(import('../../agent/notice.ts'), { spy: true });

const OID = 'ab'.repeat(32) as Oid;
const SIZE = 40;
let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'depot-read-'));
  file = join(folder, 'download');
});
afterEach(() => {
  vi.mocked(notice).mockClear();
  rmSync(folder, { recursive: true });
});

const fetched = (): string => readFileSync(file, 'utf8');

test.each<Copy>(['absent', 'corrupt', 'unreachable', 'denied', 'conflict', 'credentials', 'internal'])(
  'from a place where the object is %s the next one is asked',
  async (copy) => {
    const near = fakePlace('/srv/near', { copy });
    const far = fakePlace('/srv/far');
    await readerOf([near, far])(OID, SIZE, file);
    expect(fetched()).toContain('/srv/far');
  },
);

test.each<Copy>(['no-space', 'cancelled'])('what is %s is so for all places: no other is asked', async (copy) => {
  const near = fakePlace('/srv/near', { copy });
  const far = fakePlace('/srv/far');
  await expect(readerOf([near, far])(OID, SIZE, file)).rejects.toMatchObject({ kind: copy });
  expect(far.asked).not.toContain('get');
});

test('a place that is out of reach is left alone from then on, and one that lacks an object is not', async () => {
  const gone = fakePlace('/srv/gone', { copy: 'unreachable' });
  const lacking = fakePlace('/srv/lacking', { copy: 'absent' });
  const read = readerOf([gone, lacking, fakePlace('/srv/good')]);
  for (let n = 0; n < 3; n++) {
    await read(OID, SIZE, file);
    rmSync(file);
  }
  expect(gone.asked).toEqual(['open', 'get']);
  expect(lacking.asked).toEqual(['open', 'get', 'get', 'get']);
});

describe('a damaged copy', () => {
  test('is healed, in each place that has one', async () => {
    const damaged = [fakePlace('/srv/a', { copy: 'corrupt' }), fakePlace('/srv/b', { copy: 'corrupt' })];
    const lacking = fakePlace('/srv/c', { copy: 'absent' });
    await readerOf([...damaged, lacking, fakePlace('/srv/good')])(OID, SIZE, file);
    for (const { asked, copy } of damaged) expect([asked, copy]).toEqual([['open', 'get', 'heal'], 'good']);
    // What a mirror lacks, `sync` brings.
    expect(lacking.asked).toEqual(['open', 'get']);
  });

  test.each(['denied', 'no-space', 'unreachable', 'internal'] as const)(
    'that cannot be healed (%s) does not cost the good one',
    async (kind) => {
      const damaged = fakePlace('/srv/a', { copy: 'corrupt' });
      damaged.refuses = kind;
      await readerOf([damaged, fakePlace('/srv/good')])(OID, SIZE, file);
      expect(fetched()).toContain('/srv/good');
    },
  );

  test('that cannot be healed is tried, and told of, once, and not for each object', async () => {
    const damaged = fakePlace('/srv/a', { copy: 'corrupt' });
    damaged.refuses = 'denied';
    const other = fakePlace('/srv/b', { copy: 'corrupt' });
    const read = readerOf([damaged, other, fakePlace('/srv/good')]);
    for (let object = 0; object < 5; object++) {
      // Its objects are all damaged: what became of the last one says nothing of the next.
      other.copy = 'corrupt';
      await read(OID, SIZE, file);
      expect(fetched()).toContain('/srv/good');
      rmSync(file);
    }
    const verbs = (verb: string, { asked }: FakePlace) => asked.filter((was) => was === verb).length;
    expect([verbs('get', damaged), verbs('heal', damaged)]).toEqual([5, 1]);
    // Where it works, each is healed.
    expect([verbs('get', other), verbs('heal', other)]).toEqual([5, 5]);
    const words = 'could not be healed';
    expect(vi.mocked(notice).mock.calls.filter(([text]) => text.includes(words))).toHaveLength(1);
  });

  test('is told as such where there is no good one', async () => {
    const read = readerOf([fakePlace('/srv/a', { copy: 'absent' }), fakePlace('/srv/b', { copy: 'corrupt' })]);
    await expect(read(OID, SIZE, file)).rejects.toMatchObject({ kind: 'corrupt', cure: 'cure of corrupt' });
  });
});

describe('absent', () => {
  const absent = () => fakePlace('/srv/absent', { copy: 'absent' });
  const errorOf = (reading: Promise<void>) => reading.then(() => undefined).catch((error) => error);

  test('is what all places say', async () => {
    const error = await errorOf(readerOf([absent(), fakePlace('/srv/b', { copy: 'absent' })])(OID, SIZE, file));
    expect(error).toMatchObject({ kind: 'absent', why: '/srv/absent: it is absent; /srv/b: it is absent' });
  });

  test.each(['unreachable', 'no-store', 'denied', 'corrupt', 'internal', 'credentials', 'conflict'] as const)(
    'is not what is said while a place cannot be opened: %s',
    async (kind) => {
      const closed = fakePlace('/srv/closed', { opening: failing(kind, '/srv/closed') });
      const error = await errorOf(readerOf([absent(), closed])(OID, SIZE, file));
      expect(error).toMatchObject({ kind, cure: `cure of ${kind}` });
      expect(error.why).toContain('/srv/closed: ');
    },
  );

  test('is not what is said while a place is not allowed', async () => {
    const refused = [{ text: '/srv/refused', error: failure('untrusted', '/srv/refused') }];
    const error = await errorOf(readerOf([absent()], refused)(OID, SIZE, file));
    expect(error).toMatchObject({ kind: 'untrusted', cure: 'cure of untrusted' });
    expect(error.why).toBe('/srv/absent: it is absent; /srv/refused: it is untrusted');
  });

  test('is not what is said once a place has gone, either', async () => {
    const gone = fakePlace('/srv/gone', { copy: 'unreachable' });
    const read = readerOf([gone, absent()]);
    for (let n = 0; n < 2; n++) {
      expect(await errorOf(read(OID, SIZE, file))).toMatchObject({ kind: 'unreachable' });
    }
    expect(gone.asked).toEqual(['open', 'get']);
  });
});

test('what to do is told once where nothing answers', async () => {
  const places = ['/srv/a', '/srv/b'].map((text) => fakePlace(text, { opening: failing('unreachable', text) }));
  const read = readerOf(places);
  await expect(read(OID, SIZE, file)).rejects.toMatchObject({ cure: 'cure of unreachable' });
  const why = '/srv/a: it is unreachable; /srv/b: it is unreachable';
  await expect(read(OID, SIZE, file)).rejects.toMatchObject({ cure: '', why });
});

test('one meter for several places: it never falls', async () => {
  const near = fakePlace('/srv/near', { copy: 'corrupt' });
  near.progress = [10, 30];
  const far = fakePlace('/srv/far');
  far.progress = [20, 30, 40];
  const told: number[] = [];
  await readerOf([near, far])(OID, SIZE, file, { onProgress: (bytes) => told.push(bytes) });
  expect(told).toEqual([10, 30, 40]);
});

test('what a download has left is given to a place that resumes, and to no other', async () => {
  writeFileSync(file, 'the beginning');
  writeFileSync(`${file}.version`, 'v');
  const resuming = fakePlace('/srv/resuming', { copy: 'absent', resumes: true });
  const other = fakePlace('/srv/other');
  await readerOf([resuming, other])(OID, SIZE, file, { resume: true });
  expect(resuming.asked).toEqual(['open', 'resume']);
  expect(other.asked).toEqual(['open', 'get']);
  expect(fetched()).toHaveLength(SIZE);
  expect(existsSync(`${file}.version`)).toBe(false);
});

describe('a place that hangs at an object', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('is left for the next one, and for good', async () => {
    const hanging = fakePlace('/srv/hanging', { copy: 'hangs' });
    const read = readerOf([hanging, fakePlace('/srv/good')]);
    const reading = read(OID, SIZE, file);
    await vi.advanceTimersByTimeAsync(STALL - 1);
    expect(hanging.trouble).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    await reading;
    expect(fetched()).toContain('/srv/good');
    expect(hanging.trouble).toMatchObject({ kind: 'unreachable' });
    rmSync(file);
    // No second minute.
    await read(OID, SIZE, file);
    expect(hanging.asked).toEqual(['open', 'get']);
  });

  test('and wakes up later does no harm to what another has brought', async () => {
    const hanging = fakePlace('/srv/hanging', { copy: 'hangs' });
    const reading = readerOf([hanging, fakePlace('/srv/good')])(OID, SIZE, file);
    await vi.advanceTimersByTimeAsync(STALL);
    await reading;
    await hanging.wake();
    expect(fetched()).toContain('/srv/good');
    expect(readdirSync(folder)).toEqual(['download']);
  });

  test('is an error, with what to do, where there is no other', async () => {
    const reading = readerOf([
      fakePlace('/srv/hanging', { copy: 'hangs' }),
      fakePlace('/srv/absent', { copy: 'absent' }),
    ])(OID, SIZE, file);
    const failed = expect(reading).rejects.toMatchObject({ kind: 'unreachable', cure: /mount the share again/ });
    await vi.advanceTimersByTimeAsync(STALL);
    await failed;
    expect(readdirSync(folder)).toEqual([]);
  });
});

test('nothing is asked for what is cancelled', async () => {
  const place = fakePlace('/srv/a');
  const reading = readerOf([place])(OID, SIZE, file, { signal: AbortSignal.abort() });
  await expect(reading).rejects.toMatchObject({ kind: 'cancelled' });
  expect(place.asked).not.toContain('get');
});
