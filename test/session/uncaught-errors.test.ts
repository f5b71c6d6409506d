import { resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AgentProcess, INIT_UPLOAD, stopLeftovers } from './agent-process.ts';
import { SessionSandbox, upload } from './session-sandbox.ts';

const BUNDLE = resolve(import.meta.dirname, '../../dist/lfs-depot.cjs');
const BREAK = resolve(import.meta.dirname, 'fixtures/break-one-read.cjs');

/** Large enough to be read asynchronously, which is what the fixture breaks. */
const LARGE = 3_000_000;

let box: SessionSandbox;
beforeEach(async () => {
  box = await SessionSandbox.make();
});
afterEach(() => {
  stopLeftovers();
  box.remove();
});

describe.each(['exception', 'rejection'])('an uncaught %s', (kind) => {
  function start(): AgentProcess {
    const args = ['--require', BREAK, BUNDLE, 'agent', box.store];
    return new AgentProcess(box, box.store, { command: process.execPath, args, env: { BREAK_AS: kind } });
  }

  test('is the answer for the object in hand, and every later object is answered too', async () => {
    const objects = [LARGE, 100, LARGE].map((size) => box.object(size));
    const agent = start();
    agent.send(INIT_UPLOAD, ...objects.map(upload));
    const [, first, ...later] = await agent.finish();
    expect(first).toMatchObject({ event: 'complete', oid: objects[0]!.oid, error: { code: 1 } });
    expect(first?.error?.message).toContain('broken by a test');
    expect(first?.error?.message).toContain('hint: please report this');
    expect(later.map(({ oid }) => oid)).toEqual(objects.slice(1).map(({ oid }) => oid));
  });

  test('is not the answer for a later object, which is transferred', async () => {
    const objects = [LARGE, 100, LARGE].map((size) => box.object(size));
    const agent = start();
    agent.send(INIT_UPLOAD);
    for (const [index, object] of objects.entries()) {
      agent.send(upload(object));
      await agent.answer(index + 2);
    }
    const [, , ...later] = await agent.finish();
    expect(later).toEqual(objects.slice(1).map(({ oid }) => ({ event: 'complete', oid })));
  });
});
