import { mkdirSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { AgentProcess, INIT_UPLOAD, stopLeftovers } from './agent-process.ts';
import { type LocalObject, SessionSandbox, upload } from './session-sandbox.ts';

let box: SessionSandbox;
beforeAll(async () => {
  box = await SessionSandbox.make();
  mkdirSync(box.path('folder'));
});
afterEach(stopLeftovers);
afterAll(() => box.remove());

async function refusal(object: LocalObject) {
  const agent = new AgentProcess(box, box.store);
  agent.send(INIT_UPLOAD, upload(object));
  const [, answer] = await agent.finish();
  expect(answer).toMatchObject({ event: 'complete', oid: object.oid });
  return answer!.error;
}

/** Both ways of copying: at once, and by two buffers. */
describe.each([1000, 3_000_000])('an upload of %i bytes whose local file', (size) => {
  const files: Record<string, () => LocalObject> = {
    'is missing': () => ({ ...box.object(size), path: box.path('missing') }),
    'is a folder': () => ({ ...box.object(size), path: box.path('folder') }),
    'is shorter': () => ({ ...box.object(size - 1), size }),
    'is empty': () => ({ ...box.object(0), oid: 'a'.repeat(64), size }),
    'is longer': () => ({ ...box.object(size + 1), size }),
    'starts right and is longer': () => {
      const right = box.object(size);
      return { ...right, path: box.objectOf(Buffer.concat([box.read(right.path), Buffer.alloc(9)])).path };
    },
    'has other content': () => ({ ...box.object(size), oid: 'b'.repeat(64) }),
  };
  test.each(Object.entries(files))('%s is refused as damaged, and nothing is stored', async (_, make) => {
    const object = make();
    const error = await refusal(object);
    expect(error?.code).toBe(5);
    expect(error?.message).toContain(object.path);
    expect(box.objects).toEqual([]);
    expect(box.leftovers).toEqual([]);
  });
});

test('a local file far longer than announced is refused at once, not read to its end', async () => {
  const object = { ...box.hugeObject(50_000_000_000), size: 10 };
  const agent = new AgentProcess(box, box.store);
  agent.send(INIT_UPLOAD, upload(object));
  const answer = await Promise.race([
    agent.answer(2),
    new Promise<undefined>((resolve) => setTimeout(resolve, 5000, undefined)),
  ]);
  expect(answer).toMatchObject({ event: 'complete', oid: object.oid, error: { code: 5 } });
  await agent.finish();
  expect(box.leftovers).toEqual([]);
});
