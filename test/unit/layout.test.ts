import fc from 'fast-check';
import { expect, test } from 'vitest';
import { objectPath, oidAt } from '../../agent/layout.ts';
import { parseOid } from '../../agent/oid.ts';

const TEXT = '4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393';

test('an object lies at aa/bb/<oid>, and its path names it', () => {
  const oid = parseOid(TEXT)!;
  expect(objectPath(oid)).toBe(`4d/7a/${TEXT}`);
  expect(oidAt(objectPath(oid))).toBe(oid);
});

test('every oid finds its way there and back', () => {
  const hex = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 64, maxLength: 64 });
  fc.assert(fc.property(hex, (text) => oidAt(objectPath(parseOid(text)!)) === text));
});

test.each([
  TEXT,
  `4d/${TEXT}`,
  `7a/4d/${TEXT}`,
  `4d/7a/x/${TEXT}`,
  `/4d/7a/${TEXT}`,
  `x/4d/7a/${TEXT}`,
  `4d/7a/${TEXT}.tmp`,
  `4d/7a/${TEXT.toUpperCase()}`,
  `4D/7A/${TEXT}`,
  `4d\\7a\\${TEXT}`,
  `4d/7a/${TEXT.slice(1)}`,
  '',
  '4d/7a/',
  'lfs-depot.json',
])('%j names no object', (path) => {
  expect(oidAt(path)).toBeUndefined();
});

test.each([
  undefined,
  null,
  7,
  '',
  TEXT.slice(1),
  `${TEXT}0`,
  `${TEXT}\n`,
  `\n${TEXT}`,
  TEXT.toUpperCase(),
  `${TEXT.slice(0, 63)}g`,
  [TEXT],
  `sha256:${TEXT}`,
])('%j is no oid', (text) => {
  expect(parseOid(text)).toBeUndefined();
});
