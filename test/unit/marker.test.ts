import { describe, expect, test } from 'vitest';
import { MARKER, readMarker, writeMarker } from '../../agent/marker.ts';
import type { Backend } from '../../backends/backend.ts';
import { DepotError } from '../../backends/errors.ts';
import { expectFailure } from '../conformance/failure.ts';
import { faulty } from '../conformance/faulty.ts';
import { memoryStorage } from '../conformance/memory.ts';
import { ANCHOR } from '../conformance/storage.ts';

const ID = '0d2a9c8e-7a3f-4a53-9a39-6f5a0b7f7f10';

async function holding(content: string | Buffer | undefined): Promise<Backend> {
  const storage = memoryStorage();
  storage.plant(ANCHOR, '{}');
  if (content !== undefined) storage.plant(MARKER, content);
  await storage.open().create();
  return storage.open();
}

test('a marker that was written is read again', async () => {
  const backend = await holding(undefined);
  const written = await writeMarker(backend);
  expect(await readMarker(backend)).toMatchObject(written);
  expect(written.format).toBe(1);
  expect(written.id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  expect(new Date(written.created).toISOString()).toBe(written.created);
});

test('it says what it is to whoever finds it', async () => {
  const backend = await holding(undefined);
  await writeMarker(backend);
  const text = (await backend.read(MARKER))?.toString() ?? '';
  expect(JSON.parse(text).about).toContain('lfs-depot');
  expect(text.endsWith('}\n')).toBe(true);
});

test('two stores have two ids', async () => {
  const [one, two] = [await writeMarker(await holding(undefined)), await writeMarker(await holding(undefined))];
  expect(one.id).not.toBe(two.id);
});

test('of two who make a store at once both get the marker that stands', async () => {
  const backend = await holding(undefined);
  const markers = await Promise.all([writeMarker(backend), writeMarker(backend), writeMarker(backend)]);
  const standing = await readMarker(backend);
  for (const { id } of markers) expect(id).toBe(standing.id);
});

test('a marker with more in it than is known is fine', async () => {
  const backend = await holding(
    JSON.stringify({ format: 1, id: ID, created: '2026-01-01T00:00:00Z', learned: { x: 1 } }),
  );
  expect(await readMarker(backend)).toMatchObject({ format: 1, id: ID });
});

test('without one there is no store, and it says so of the location', async () => {
  const error = await expectFailure(readMarker(await holding(undefined)), 'no-store');
  expect(error.message).toContain('memory');
  expect(error.message).toContain(MARKER);
  expect(error.cure).toContain('mount');
});

describe('a damaged marker is corrupt', () => {
  test.each([
    '',
    ' ',
    '{',
    'null',
    '[]',
    '7',
    '"text"',
    '{}',
    '{"format":"1","id":"x"}',
    '{"format":1}',
    '{"format":1,"id":7}',
    '<html>404</html>',
    `{"format":1,"id":"${ID}"`,
    '\0\0\0\0\0\0\0\0',
  ])('%j', async (content) => {
    const error = await expectFailure(readMarker(await holding(content)), 'corrupt');
    expect(error.why).toContain(MARKER);
    expect(error.cure).toContain('lfs-depot init --adopt memory');
  });

  test('one of 2 MiB', async () => {
    await expectFailure(readMarker(await holding(Buffer.alloc(2 * 1024 * 1024, ' '))), 'corrupt');
  });
});

test.each([2, 99])('a store of format %i asks for a newer program', async (format) => {
  const error = await expectFailure(readMarker(await holding(JSON.stringify({ format, id: ID }))), 'unsupported');
  expect(error.why).toContain(String(format));
  expect(error.cure).toContain('newer');
});

test('a newer format is told from damage, whatever else it holds', async () => {
  await expectFailure(readMarker(await holding('{"format":2,"uuid":{"not":"as today"}}')), 'unsupported');
});

test.each(['denied', 'unreachable', 'cancelled', 'internal'] as const)(
  'a failure of kind %s is not taken for a missing marker',
  async (kind) => {
    const failure = new DepotError(kind, { what: 'a', why: 'b', cure: 'c' });
    const backend = faulty(await holding('{}'), [{ verb: 'read', at: 'before', meet: failure }]);
    expect((await expectFailure(readMarker(backend), kind)).why).toBe('b');
  },
);
