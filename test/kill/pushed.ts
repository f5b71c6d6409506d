import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Sandbox } from '../sandbox.ts';
import type { CheckedObjects } from './checked-objects.ts';

export const PUSH = ['push', '-q', 'origin', 'main'];

/** So that Alice's next push has all the objects to offer again. */
export async function forgetPush(box: Sandbox): Promise<void> {
  if (existsSync(box.path('remote.git', 'refs', 'heads', 'main')))
    await box.git('alice', 'push', '-q', '--no-verify', 'origin', ':main');
}

/** Most of the objects, so that there is something to move, and something that is there already. */
export function removeSome(objects: CheckedObjects, random: () => number): void {
  for (const oid of objects.check()) {
    if (random() < 0.7) rmSync(join(objects.folder, oid.slice(0, 2), oid.slice(2, 4), oid));
  }
}
