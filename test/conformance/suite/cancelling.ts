import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { CallOptions } from '../../../backends/backend.ts';
import { expectFailure } from '../failure.ts';
import { type Source, sourceIn } from '../source.ts';
import { ANCHOR, type Bench, leftIn, tempIn } from '../storage.ts';

const LARGE = 48 * 1024 * 1024;

/**
 * Buffers that may still be told of after the signal. Promptness is counted in buffers and not in seconds, which depend
 * on the machine: 3 of at most 4 MiB are well below a second's worth anywhere.
 */
const STILL = 3;

export function cancelling(current: () => Bench): void {
  const calls: Record<string, (bench: Bench, source: Source, options: CallOptions) => Promise<unknown>> = {
    stat: ({ backend }, _, options) => backend.stat('aa/file', options),
    put: ({ backend }, source, options) => backend.put('aa/new', source.file, { ...source, ...options }),
    get: ({ backend, local }, _, options) => backend.get('aa/file', join(local, 'fetched'), options),
    digest: ({ backend }, _, options) => backend.digest('aa/file', options),
    read: ({ backend }, _, options) => backend.read('aa/file', options),
    write: ({ backend }, _, options) => backend.write('aa/new', Buffer.from('x'), options),
    remove: ({ backend }, _, options) => backend.remove('aa/file', options),
    sweep: ({ backend }, _, options) => backend.sweep(0, options),
    space: ({ backend }, _, options) => backend.space(options),
    list: async ({ backend }, _, options) => {
      for await (const _entry of backend.list('', options));
    },
  };

  test.each(Object.keys(calls))('a %s that is cancelled before it begins does nothing', async (verb) => {
    const bench = current();
    bench.storage.plant('aa/file', 'x');
    const before = leftIn(bench.storage);
    const source = sourceIn(bench.local, 10);
    await expectFailure(calls[verb]!(bench, source, { signal: AbortSignal.abort() }), 'cancelled');
    expect(leftIn(bench.storage)).toEqual(before);
    expect(existsSync(join(bench.local, 'fetched'))).toBe(false);
  });

  test('a put that is cancelled on the way stops at once and leaves nothing', async () => {
    const { backend, storage, local } = current();
    const source = sourceIn(local, Buffer.alloc(LARGE, 'p'));
    const { signal, onProgress, toldAfter } = cancelAtFirstBytes();
    await expectFailure(backend.put('aa/file', source.file, { ...source, signal, onProgress }), 'cancelled');
    expect(toldAfter()).toBeLessThanOrEqual(STILL);
    expect(storage.content('aa/file')).toBeUndefined();
    expect(tempIn(storage)).toEqual([]);
  });

  test('a put that is cancelled while it replaces leaves what stood there', async () => {
    const { backend, storage, local } = current();
    storage.plant('aa/file', 'damaged');
    const replace = (await backend.stat('aa/file'))?.version;
    const source = sourceIn(local, Buffer.alloc(LARGE, 'r'));
    const { signal, onProgress } = cancelAtFirstBytes();
    await expectFailure(backend.put('aa/file', source.file, { ...source, replace, signal, onProgress }), 'cancelled');
    expect(storage.content('aa/file')?.toString()).toBe('damaged');
    expect(tempIn(storage)).toEqual([]);
  });

  test('a put that is cancelled with its last byte publishes nothing', async () => {
    const { backend, storage, local } = current();
    const source = sourceIn(local, 3_000_000);
    const controller = new AbortController();
    const onProgress = (bytes: number): void => {
      if (bytes === source.size) controller.abort();
    };
    await expectFailure(
      backend.put('aa/file', source.file, { ...source, signal: controller.signal, onProgress }),
      'cancelled',
    );
    expect(storage.content('aa/file')).toBeUndefined();
    expect(tempIn(storage)).toEqual([]);
  });

  test('a get that is cancelled on the way stops at once and leaves no local file', async () => {
    const { backend, storage, local } = current();
    storage.plant('aa/file', Buffer.alloc(LARGE, 'g'));
    const target = join(local, 'fetched');
    const { signal, onProgress, toldAfter } = cancelAtFirstBytes();
    await expectFailure(backend.get('aa/file', target, { signal, onProgress }), 'cancelled');
    expect(toldAfter()).toBeLessThanOrEqual(STILL);
    expect(existsSync(target)).toBe(false);
  });

  test('a digest that is cancelled on the way stops at once', async () => {
    const { backend, storage } = current();
    storage.plant('aa/file', Buffer.alloc(LARGE, 'd'));
    const { signal, onProgress, toldAfter } = cancelAtFirstBytes();
    await expectFailure(backend.digest('aa/file', { signal, onProgress }), 'cancelled');
    expect(toldAfter()).toBeLessThanOrEqual(STILL);
  });

  test('a list that is cancelled on the way ends with that', async () => {
    const { backend, storage } = current();
    for (let index = 0; index < 50; index++) storage.plant(`${index % 10}/${index}`, 'x');
    const controller = new AbortController();
    const seen: string[] = [];
    const walk = async () => {
      for await (const { path } of backend.list('', { signal: controller.signal })) {
        seen.push(path);
        if (seen.length === 3) controller.abort();
      }
    };
    await expectFailure(walk(), 'cancelled');
    expect(seen.length).toBeLessThan(50);
  });

  test('a cancelled call does not spoil the next one', async () => {
    const { backend, storage, local } = current();
    const source = sourceIn(local, 3_000_000);
    const { signal, onProgress } = cancelAtFirstBytes();
    await expectFailure(backend.put('aa/file', source.file, { ...source, signal, onProgress }), 'cancelled');
    expect(await backend.put('aa/file', source.file, source)).toBe('created');
    expect(storage.content('aa/file')?.equals(source.content)).toBe(true);
    expect((await backend.read(ANCHOR))?.toString()).toBe('{}');
  });
}

/** A signal that fires with the first bytes that moved, and the number of times that progress was told after it. */
function cancelAtFirstBytes() {
  const controller = new AbortController();
  let told = 0;
  const onProgress = (): void => {
    if (controller.signal.aborted) told++;
    controller.abort();
  };
  return { signal: controller.signal, onProgress, toldAfter: () => told };
}
