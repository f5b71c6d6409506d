import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { AgentProcess, INIT_DOWNLOAD, INIT_UPLOAD, type Message, stopLeftovers } from './agent-process.ts';
import { download, type LocalObject, SessionSandbox, upload } from './session-sandbox.ts';

const LARGE = 200_000_000;

let box: SessionSandbox;
let object: LocalObject;
beforeAll(async () => {
  box = await SessionSandbox.make();
  object = box.object(LARGE);
});
afterEach(stopLeftovers);
afterAll(() => box.remove());

/** Runs one transfer; gives its progress, the milliseconds it took, and what came after it was complete. */
async function transfer(init: object, request: object) {
  const agent = new AgentProcess(box, box.store);
  agent.send(init);
  await agent.answer(1);
  const start = performance.now();
  agent.send(request);
  const complete = await agent.answer(2);
  const elapsed = performance.now() - start;
  await agent.finish();
  const [, ...messages] = agent.messages;
  const end = messages.indexOf(complete);
  return { complete, progress: messages.slice(0, end), after: messages.slice(end + 1), elapsed };
}

function expectGoodProgress(progress: Message[], oid: string, size: number): void {
  let soFar = 0;
  for (const message of progress) {
    expect(message).toEqual({
      event: 'progress',
      oid,
      bytesSoFar: expect.any(Number),
      bytesSinceLast: expect.any(Number),
    });
    expect(message.bytesSinceLast).toBeGreaterThan(0);
    soFar += message.bytesSinceLast!;
    expect(message.bytesSoFar).toBe(soFar);
  }
  expect(soFar).toBe(size);
}

test.each(['upload', 'download'] as const)(
  'the progress of a large %s starts early and ends at its size',
  async (way) => {
    if (way === 'download') box.putIntoStore(object);
    const { complete, progress, after, elapsed } =
      way === 'upload' ? await transfer(INIT_UPLOAD, upload(object)) : await transfer(INIT_DOWNLOAD, download(object));
    expect(complete.error).toBeUndefined();
    expectGoodProgress(progress, object.oid, LARGE);
    // git-lfs holds back seven of its eight workers until the first message.
    if (way === 'upload' || !box.clonesFiles) expect(progress[0]?.bytesSoFar).toBeLessThan(LARGE / 4);
    expect(progress.length).toBeLessThanOrEqual(elapsed / 100 + 2);
    expect(after).toEqual([]);
  },
);

test('the size is told for an object that is in the store already: it counts for the meter of git-lfs', async () => {
  const present = box.object(3_000_000);
  box.putIntoStore(present);
  const { complete, progress } = await transfer(INIT_UPLOAD, upload(present));
  expect(complete.error).toBeUndefined();
  expectGoodProgress(progress, present.oid, present.size);
});

test('an empty object has no progress', async () => {
  const { complete, progress } = await transfer(INIT_UPLOAD, upload(box.object(0)));
  expect(complete.error).toBeUndefined();
  expect(progress).toEqual([]);
});

test('an object that fails never claims its whole size', async () => {
  const damaged = { ...box.object(20_000_000), oid: 'c'.repeat(64) };
  const { complete, progress } = await transfer(INIT_UPLOAD, upload(damaged));
  expect(complete.error?.code).toBe(5);
  expect(progress.at(-1)?.bytesSoFar ?? 0).toBeLessThan(damaged.size);
});
