import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { sep } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { AgentProcess, INIT_DOWNLOAD, INIT_UPLOAD, stopLeftovers, TERMINATE } from './agent-process.ts';
import { download, SessionSandbox, sha256OfFile, upload } from './session-sandbox.ts';

let box: SessionSandbox;
beforeAll(async () => {
  box = await SessionSandbox.make();
});
afterEach(stopLeftovers);
afterAll(() => box.remove());

test('init is answered with an empty object, before anything is opened', async () => {
  const agent = new AgentProcess(box, box.path('no-such-store'));
  agent.send(INIT_UPLOAD);
  expect(await agent.answer(1)).toEqual({});
  expect(await agent.finish()).toEqual([{}]);
});

test('terminate is not answered, and ends the process with status 0', async () => {
  const agent = new AgentProcess(box, box.store);
  agent.send(INIT_UPLOAD, TERMINATE);
  expect(await agent.gone(2000)).toEqual({ status: 0, signal: null });
  expect(agent.messages).toEqual([{}]);
});

test('the end of input ends the process, before init too', async () => {
  for (const lines of [[], [INIT_UPLOAD]]) {
    const agent = new AgentProcess(box, box.store);
    agent.send(...lines);
    agent.endInput();
    expect(await agent.gone(2000)).toEqual({ status: 0, signal: null });
    expect(agent.messages).toHaveLength(lines.length);
  }
});

test.each([0, 1, 1000, 1_048_576, 1_048_577, 5_000_000])('%i bytes go up, and come down the same', async (size) => {
  const object = box.object(size);
  const up = new AgentProcess(box, box.store);
  up.send(INIT_UPLOAD, upload(object));
  expect(await up.finish()).toEqual([{}, { event: 'complete', oid: object.oid }]);
  expect(sha256OfFile(box.stored(object.oid))).toBe(object.oid);

  const down = new AgentProcess(box, box.store);
  down.send(INIT_DOWNLOAD, download(object));
  const [, complete] = await down.finish();
  expect(complete).toEqual({ event: 'complete', oid: object.oid, path: expect.any(String) });
  expect(readFileSync(complete!.path!)).toEqual(readFileSync(object.path));
});

test('many objects in one session are answered in order, each once', async () => {
  const objects = Array.from({ length: 40 }, (_, index) => box.object(index * 9000));
  const agent = new AgentProcess(box, box.store);
  agent.send(INIT_UPLOAD, ...objects.map(upload));
  const [, ...answers] = await agent.finish();
  expect(answers).toEqual(objects.map(({ oid }) => ({ event: 'complete', oid })));
});

// Under Wine git alone takes longer than the half second that `terminate` leaves.
test.skipIf(process.platform === 'win32')(
  'what was asked for before the end is done, so that a script may write everything at once',
  async () => {
    const object = box.object(100);
    const agent = new AgentProcess(box, box.store);
    agent.send(INIT_UPLOAD, upload(object), TERMINATE);
    await agent.gone();
    expect(agent.answers[1]).toEqual({ event: 'complete', oid: object.oid });
  },
);

test('one object that fails does not touch the others', async () => {
  const [before, after] = [box.object(100), box.object(100)];
  const wrong = { ...box.object(100), oid: 'd'.repeat(64) };
  const agent = new AgentProcess(box, box.store);
  agent.send(INIT_UPLOAD, upload(before), upload(wrong), upload(after));
  const answers = await agent.finish();
  expect(answers.map(({ oid, error }) => [oid, error?.code])).toEqual([
    [undefined, undefined],
    [before.oid, undefined],
    [wrong.oid, 5],
    [after.oid, undefined],
  ]);
});

test('a download is a private file in lfs/tmp of the common git folder, of a linked worktree too', async () => {
  const object = box.object(2000);
  box.putIntoStore(object);
  await box.git('repo', 'commit', '-q', '--allow-empty', '-m', 'start');
  await box.git('repo', 'worktree', 'add', '-q', '../linked');
  const paths: string[] = [];
  for (const cwd of ['repo', 'linked', 'repo']) {
    const agent = new AgentProcess(box, box.store, { cwd });
    agent.send(INIT_DOWNLOAD, download(object), download(object));
    for (const { path } of (await agent.finish()).slice(1)) paths.push(path!);
  }
  const temp = realpathSync(box.path('repo', '.git', 'lfs', 'tmp'));
  expect(new Set(paths).size).toBe(6);
  for (const path of paths) {
    expect(realpathSync(path).startsWith(temp)).toBe(true);
    expect(statSync(path).ino).not.toBe(statSync(box.stored(object.oid)).ino);
    // git-lfs removes `<oid>-…` of other processes as soon as it has the object.
    expect(path).not.toContain(object.oid);
  }
});

test('an object that the store does not have is answered with code 4', async () => {
  const agent = new AgentProcess(box, box.store);
  agent.send(INIT_DOWNLOAD, download({ oid: 'e'.repeat(64), size: 7 }));
  const [, answer] = await agent.finish();
  expect(answer).toMatchObject({ event: 'complete', oid: 'e'.repeat(64), error: { code: 4 } });
  expect(answer?.error?.message).toContain('hint: ');
});

test('a location that is no store is told with every object, and nothing is made there', async () => {
  const location = box.path('not-mounted');
  const objects = [box.object(10), box.object(10)];
  const agent = new AgentProcess(box, location);
  agent.send(INIT_UPLOAD, ...objects.map(upload));
  const answers = await agent.finish();
  expect(answers.map(({ error }) => error?.code)).toEqual([undefined, 3, 3]);
  expect(answers[1]?.error?.message).toContain(location.replaceAll(sep, '/'));
  expect(existsSync(location)).toBe(false);
});

test('a failed download leaves no file', async () => {
  const leftovers = box.leftovers;
  const damaged = box.object(3000);
  box.putIntoStore(damaged);
  const agent = new AgentProcess(box, box.store);
  agent.send(INIT_DOWNLOAD, download({ oid: damaged.oid, size: 2999 }), download({ oid: 'a'.repeat(64), size: 1 }));
  expect((await agent.finish()).map(({ error }) => error?.code)).toEqual([undefined, 5, 4]);
  expect(box.leftovers).toEqual(leftovers);
});
