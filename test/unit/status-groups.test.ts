import { expect, test } from 'vitest';
import { groupsOf } from '../../agent/commands/status-groups.ts';
import type { Oid } from '../../agent/oid.ts';
import type { Missing } from '../../agent/status/status.ts';

function missing(index: number, where: Missing['where'], answer: Missing['answer'] = 'absent'): Missing {
  return { oid: index.toString(16).padStart(64, '0') as Oid, size: 1, path: `${index}.bin`, where, answer };
}

test('by where it can be had from, in the order of the list', () => {
  const list = [missing(1, 'clone'), missing(2, 'spool'), missing(3, 'clone'), missing(4, 'spool', 'untold')];
  const groups = [...groupsOf(list)].map(([where, items]) => [where, items.map(({ path }) => path)]);
  expect(groups).toEqual([
    ['clone', ['1.bin', '3.bin']],
    ['spool', ['2.bin', '4.bin']],
  ]);
});

test('what cannot be told is in no group', () => {
  expect(groupsOf([missing(1, 'clone', 'untold'), missing(2, 'nowhere', 'untold')]).size).toBe(0);
});

// Minutes, if each object cost as much as the group has already.
test('a store that lost everything', () => {
  const list = Array.from({ length: 200_000 }, (_, index) => missing(index, 'clone'));
  expect(groupsOf(list).get('clone')).toHaveLength(list.length);
}, 30_000);
