import { mkdirSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AgentProcess, INIT_DOWNLOAD, type Message, stopLeftovers, TERMINATE } from './agent-process.ts';
import { download, type LocalObject, SessionSandbox } from './session-sandbox.ts';

let box: SessionSandbox;
let object: LocalObject;
beforeEach(async () => {
  box = await SessionSandbox.make();
  object = box.object(5000);
});
afterEach(() => {
  stopLeftovers();
  box.remove();
});

async function answerTo(env: NodeJS.ProcessEnv = {}): Promise<Message | undefined> {
  const agent = new AgentProcess(box, box.store, { env });
  agent.send(INIT_DOWNLOAD, download(object), TERMINATE);
  await agent.finish();
  return agent.messages.at(-1);
}

/** As git-lfs leaves a download that it refused. */
function leaveDownloadOf({ oid }: { oid: string }): void {
  const folder = box.path('repo/.git/lfs/tmp');
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/depot-${oid.slice(0, 16)}-0123456789abcdef00000000`, '');
}

describe('an object that is damaged and has its size', () => {
  beforeEach(() => {
    box.putIntoStore(object);
    writeFileSync(box.stored(object.oid), Buffer.alloc(object.size));
  });
  const DAMAGED = { oid: expect.any(String), error: { code: 5, message: expect.stringContaining('has the SHA-256') } };

  test('is left to git-lfs, which hashes each download', async () => {
    expect(await answerTo({ CI: 'false' })).toMatchObject({ oid: object.oid, path: expect.any(String) });
  });

  test('is told, with who can heal it, once git-lfs has refused it', async () => {
    leaveDownloadOf(object);
    expect(await answerTo()).toMatchObject(DAMAGED);
  });

  test('is left to git-lfs when that refused another one', async () => {
    leaveDownloadOf(box.object(10));
    expect(await answerTo()).toMatchObject({ oid: object.oid, path: expect.any(String) });
  });

  test('is told at once in a CI job, which does not try again', async () => {
    expect(await answerTo({ CI: 'true' })).toMatchObject(DAMAGED);
  });
});

test('a good object that git-lfs refused before is handed out', async () => {
  box.putIntoStore(object);
  leaveDownloadOf(object);
  const { path = '' } = (await answerTo()) ?? {};
  expect(box.read(path).equals(box.read(object.path))).toBe(true);
});
