import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AgentProcess, INIT_DOWNLOAD, INIT_UPLOAD, stopLeftovers, TERMINATE } from './agent-process.ts';
import { download, SessionSandbox, upload } from './session-sandbox.ts';

const BUNDLE = resolve(import.meta.dirname, '../../dist/lfs-depot.cjs');
const SHARE_THAT_HANGS = resolve(import.meta.dirname, 'fixtures/network-share-that-hangs.cjs');

/** Milliseconds in which every agent gets as far as the marker. */
const UNTIL_IT_HANGS = 700;

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
  SIGINT: (agent) => void agent.child.kill('SIGINT'),
  SIGTERM: (agent) => void agent.child.kill('SIGTERM'),
  SIGHUP: (agent) => void agent.child.kill('SIGHUP'),
};

/** Opening a pipe that nobody writes to blocks, like a share whose server is gone. */
function hangAt(path: string): void {
  rmSync(path, { force: true });
  mkdirSync(dirname(path), { recursive: true });
  execFileSync('mkfifo', [path]);
}

describe.skipIf(process.platform === 'win32').each(Object.entries(WAYS))('%s', (_, stop) => {
  test.each(['upload', 'download'] as const)(
    'ends an agent that waits for a store that hangs, %s answered',
    async (way) => {
      hangAt(box.path('store', 'lfs-depot.json'));
      const object = box.object(1000);
      const agent = new AgentProcess(box, box.store);
      if (way === 'upload') agent.send(INIT_UPLOAD, upload(object));
      else agent.send(INIT_DOWNLOAD, download(object));
      await sleep(UNTIL_IT_HANGS);
      expect(agent.messages).toEqual([{}]);
      stop(agent);
      await agent.gone(2000);
      expect(agent.messages).toMatchObject([{}, { event: 'complete', oid: object.oid, error: { code: 9 } }]);
      expect(box.leftovers).toEqual([]);
    },
  );
});

function onShare(env: Record<string, string> = {}): AgentProcess {
  const args = ['--require', SHARE_THAT_HANGS, BUNDLE, 'agent', box.store];
  return new AgentProcess(box, box.store, { command: process.execPath, args, env });
}

// Elsewhere every folder is taken for a network, on which all that may hang is waited for.
test.skipIf(process.platform !== 'linux')(
  'a pipe under the name of an object is no object, and hangs nobody',
  async () => {
    const object = box.object(1000);
    hangAt(box.stored(object.oid));
    const agent = new AgentProcess(box, box.store);
    agent.send(INIT_DOWNLOAD, download(object), TERMINATE);
    await agent.finish();
    expect(agent.messages).toMatchObject([{}, { event: 'complete', oid: object.oid, error: { code: 4 } }]);
  },
);

describe.skipIf(process.platform === 'win32').each(Object.entries(WAYS))('%s', (_, stop) => {
  test('ends an agent whose store hangs later, at an object', async () => {
    const object = box.object(1000);
    hangAt(box.stored(object.oid));
    const agent = onShare();
    agent.send(INIT_DOWNLOAD, download(object));
    await sleep(UNTIL_IT_HANGS);
    expect(agent.messages).toEqual([{}]);
    stop(agent);
    await agent.gone(2000);
    expect(agent.messages).toMatchObject([{}, { event: 'complete', oid: object.oid, error: { code: 9 } }]);
    expect(box.leftovers).toEqual([]);
  });

  test('ends an agent whose share hangs in the middle of an upload', async () => {
    const object = box.object(1000);
    const pipe = box.path('pipe');
    hangAt(pipe);
    const agent = onShare({ PIPE: pipe });
    agent.send(INIT_UPLOAD, upload(object));
    await sleep(UNTIL_IT_HANGS);
    expect(agent.messages).toEqual([{}]);
    stop(agent);
    await agent.gone(2000);
    expect(agent.messages).toMatchObject([{}, { event: 'complete', oid: object.oid, error: { code: 9 } }]);
    // The temp file stays for a sweep: a share that hangs cannot be tidied.
    expect(existsSync(box.stored(object.oid))).toBe(false);
  });
});
