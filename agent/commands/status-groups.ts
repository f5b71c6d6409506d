import type { Missing } from '../status/status.ts';

/** What is not in the store for sure, or waits here; by where it can be had from. */
export function groupsOf(missing: Missing[]): Map<Missing['where'], Missing[]> {
  const groups = new Map<Missing['where'], Missing[]>();
  for (const item of missing) {
    if (isUntold(item)) continue;
    const group = groups.get(item.where);
    if (group) group.push(item);
    else groups.set(item.where, [item]);
  }
  return groups;
}

export function isUntold({ answer, where }: Missing): boolean {
  return answer === 'untold' && where !== 'spool';
}
