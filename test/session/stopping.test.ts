import { truncateSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AgentProcess, INIT_DOWNLOAD, INIT_UPLOAD, stopLeftovers, TERMINATE } from './agent-process.ts';
import { download, SessionSandbox, upload } from './session-sandbox.ts';

/** More than any machine moves in the second that an agent has to stop; sparse, so it takes no room. */
const HUGE = 20_000_000_000;

/** Windows has none: to send one there is to end the process. */
const SIGNALS = process.platform === 'win32' ? [] : (['SIGINT', 'SIGTERM', 'SIGHUP'] as const);

let box: SessionSandbox;
beforeEach(async () => {
  box = await SessionSandbox.make();
});
afterEach(() => {
  stopLeftovers();
  box.remove();
});

const WAYS: Record<string, (agent: AgentProcess) => void> = {
  'the end of input': (agent) => agent.endInput(),
  terminate: (agent) => agent.send(TERMINATE),
  'a closed stdout': (agent) => agent.child.stdout?.destroy(),
  ...Object.fromEntries(SIGNALS.map((name) => [name, (agent: AgentProcess) => void agent.child.kill(name)])),
};

describe.each(Object.entries(WAYS))('%s', (name, stop) => {
  for (const way of ['upload', 'download'] as const) {
    test(`ends the process in the middle of one ${way}, and nothing is left`, async (context) => {
      if (way === 'download' && box.clonesFiles) context.skip();
      const agent = await moving(way);
      stop(agent);
      const end = await agent.gone(2000);
      expect(box.leftovers).toEqual([]);
      expect(way === 'upload' ? box.objects : []).toEqual([]);
      if (name === 'terminate') {
        expect(agent.answers.at(-1)).toMatchObject({ event: 'complete', error: { code: 9 } });
        expect(end).toEqual({ status: 0, signal: null });
      }
      expect(agent.answers.filter(({ error }) => !error)).toEqual([{}]);
    });
  }
});

test.each(['the end of input', ...SIGNALS])('%s answers all objects that were asked for, with code 9', async (way) => {
  const huge = box.hugeObject(HUGE);
  const waiting = [box.object(10), box.object(10)];
  const agent = new AgentProcess(box, box.store);
  agent.send(INIT_UPLOAD, upload(huge), ...waiting.map(upload));
  await agent.moving();
  WAYS[way]!(agent);
  await agent.gone(2000);
  const [, ...answers] = agent.answers;
  expect(answers.map(({ oid, error }) => [oid, error?.code])).toEqual([huge, ...waiting].map(({ oid }) => [oid, 9]));
  expect(box.objects).toEqual([]);
});

test.each(SIGNALS)('%s ends an agent that waits, as a signal does', async (name) => {
  for (const lines of [[], [INIT_UPLOAD]]) {
    const agent = new AgentProcess(box, box.store);
    agent.send(...lines);
    // Before its first instruction a process has the default action, which is as good, but no test.
    if (lines.length > 0) await agent.answer(1);
    agent.child.kill(name);
    expect(await agent.gone(2000)).toEqual({ status: null, signal: name });
  }
});

test.skipIf(SIGNALS.length === 0)('a second Ctrl-C does no harm', async () => {
  const agent = await moving('upload');
  for (let times = 0; times < 5; times++) agent.child.kill('SIGINT');
  expect(await agent.gone(2000)).toEqual({ status: null, signal: 'SIGINT' });
  expect(box.leftovers).toEqual([]);
});

test('a small object that was asked for right before terminate is finished', async () => {
  const objects = Array.from({ length: 20 }, () => box.object(1000));
  const agent = new AgentProcess(box, box.store);
  const [first, ...others] = objects.map(upload);
  agent.send(INIT_UPLOAD, first!);
  // Under Wine git takes longer to start than `terminate` leaves: there the store is opened before.
  if (process.platform === 'win32') await agent.answer(2);
  agent.send(...others, TERMINATE);
  await agent.gone(2000);
  expect(agent.answers.slice(1)).toEqual(objects.map(({ oid }) => ({ event: 'complete', oid })));
});

async function moving(way: 'upload' | 'download'): Promise<AgentProcess> {
  const object = box.hugeObject(HUGE);
  if (way === 'download') {
    box.putIntoStore({ ...object, path: box.write('empty', '') });
    truncateSync(box.stored(object.oid), HUGE);
  }
  const agent = new AgentProcess(box, box.store);
  if (way === 'upload') agent.send(INIT_UPLOAD, upload(object));
  else agent.send(INIT_DOWNLOAD, download(object));
  await agent.moving();
  return agent;
}
