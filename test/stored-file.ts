import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import type { Backend } from '../backends/backend.ts';
import type { Sandbox } from './sandbox.ts';

/** Makes a storage whose anchor is `anchor`, and puts one small file there. @param began called between the two. */
export async function putOneFile(box: Sandbox, backend: Backend, began: () => void): Promise<void> {
  await backend.create();
  await backend.write('anchor', Buffer.from('here'));
  began();
  const content = Buffer.from('an object');
  const sha256 = createHash('sha256').update(content).digest('hex');
  await backend.put('aa/bb/object', box.write('object', content), { size: content.length, sha256 });
  expect(await backend.read('aa/bb/object')).toEqual(content);
}
