import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { delimiter } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { AgentProcess, INIT_DOWNLOAD, INIT_UPLOAD, stopLeftovers, TERMINATE } from './agent-process.ts';
import { download, SessionSandbox, upload } from './session-sandbox.ts';

let box: SessionSandbox;
beforeAll(async () => {
  box = await SessionSandbox.make();
});
afterEach(stopLeftovers);
afterAll(() => box.remove());

/** The environment that the lazy start (agent/start.ts) hands over in. */
function handover(init: object | string, next: object | string): NodeJS.ProcessEnv {
  const line = (message: object | string) => (typeof message === 'string' ? message : JSON.stringify(message));
  return { LFS_DEPOT_INIT: line(init), LFS_DEPOT_NEXT: line(next) };
}

test('lines that were handed over come before stdin, and init is not answered again', async () => {
  const [first, second] = [box.object(100), box.object(200)];
  const agent = new AgentProcess(box, box.store, { env: handover(INIT_UPLOAD, upload(first)) });
  agent.send(upload(second));
  expect(await agent.finish()).toEqual([first, second].map(({ oid }) => ({ event: 'complete', oid })));
});

test('a handed-over terminate ends the process', async () => {
  const agent = new AgentProcess(box, box.store, { env: handover(INIT_UPLOAD, TERMINATE) });
  expect(await agent.gone(2000)).toEqual({ status: 0, signal: null });
  expect(agent.messages).toEqual([]);
});

test('a handed-over request that cannot be used is answered once', async () => {
  const agent = new AgentProcess(box, box.store, { env: handover(INIT_UPLOAD, 'nonsense') });
  expect(await agent.finish()).toMatchObject([{ event: 'complete', oid: '', error: { code: 1 } }]);
});

test('a handed-over init that cannot be used was answered already: only the object is', async () => {
  const object = box.object(100);
  const agent = new AgentProcess(box, box.store, { env: handover('nonsense', upload(object)) });
  expect(await agent.finish()).toMatchObject([{ event: 'complete', oid: object.oid, error: { code: 1 } }]);
});

test('one variable alone is no handover', async () => {
  const { LFS_DEPOT_INIT, LFS_DEPOT_NEXT } = handover(INIT_UPLOAD, TERMINATE);
  for (const env of [{ LFS_DEPOT_INIT }, { LFS_DEPOT_NEXT }]) {
    const agent = new AgentProcess(box, box.store, { env });
    agent.send(INIT_UPLOAD);
    expect(await agent.finish()).toEqual([{}]);
  }
});

test.skipIf(process.platform === 'win32')('no child of the agent inherits the lines', async () => {
  const log = box.path('environment-of-git');
  box.write(
    'fake/git',
    `#!/bin/sh\n# A fake that notes its environment, then is the real git.\nenv >>'${log}'\nPATH=\${PATH#*:}\nexec git "$@"\n`,
  );
  chmodSync(box.path('fake/git'), 0o755);
  const object = box.object(100);
  box.putIntoStore(object);
  const agent = new AgentProcess(box, box.store, {
    env: {
      ...handover(INIT_DOWNLOAD, download(object)),
      PATH: `${box.path('fake')}${delimiter}${process.env.PATH}`,
    },
  });
  expect(await agent.finish()).toMatchObject([{ event: 'complete', oid: object.oid, path: expect.any(String) }]);
  expect(existsSync(log)).toBe(true);
  const seen = readFileSync(log, 'utf8');
  expect(seen).toContain('PATH=');
  expect(seen).not.toContain('LFS_DEPOT_INIT');
  expect(seen).not.toContain('LFS_DEPOT_NEXT');
});

test.skipIf(process.platform === 'win32')(
  'the lazy start that `install` writes answers as the agent itself does',
  async () => {
    await box.depot('.', 'install');
    const setting = async (name: string) =>
      (await box.git('.', 'config', '--global', `lfs.customtransfer.depot.${name}`)).trim();
    // As git-lfs runs it: `sh -c "<path> <args>"`.
    const args = ['-c', `${await setting('path')} ${await setting('args')}`];
    const odd = box.write('local/a "quoted" $HOME \\n `name` ü', 'content');
    const objects = [{ ...box.objectOf(Buffer.from('content')), path: odd }, box.object(2_000_000), box.object(0)];
    const env = { LFS_DEPOT_LOCATION: box.store };

    const busy = new AgentProcess(box, box.store, { command: 'sh', args, env });
    busy.send(INIT_UPLOAD);
    expect(await busy.answer(1)).toEqual({});
    busy.send(...objects.map(upload));
    expect(await busy.finish()).toEqual([{}, ...objects.map(({ oid }) => ({ event: 'complete', oid }))]);

    const idle = new AgentProcess(box, box.store, { command: 'sh', args, env });
    idle.send(INIT_UPLOAD);
    expect(await idle.finish()).toEqual([{}]);

    const orphan = new AgentProcess(box, box.store, { command: 'sh', args, env });
    orphan.send(INIT_UPLOAD);
    await orphan.answer(1);
    orphan.endInput();
    expect((await orphan.gone(2000)).status).toBe(0);
  },
);
