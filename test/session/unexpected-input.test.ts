import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { AgentProcess, INIT_UPLOAD, stopLeftovers, TERMINATE } from './agent-process.ts';
import { SessionSandbox, upload } from './session-sandbox.ts';

const OID = '4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393';

let box: SessionSandbox;
beforeAll(async () => {
  box = await SessionSandbox.make();
});
afterEach(stopLeftovers);
afterAll(() => box.remove());

/** The answers to lines that follow init, of which there must be one each; a good upload at the end is to succeed. */
async function answersTo(...lines: (object | string)[]) {
  const good = box.object(10);
  const agent = new AgentProcess(box, box.store);
  agent.send(INIT_UPLOAD, ...lines, upload(good));
  const answers = await agent.finish();
  expect(answers).toHaveLength(lines.length + 2);
  expect(answers[0]).toEqual({});
  expect(answers.at(-1)).toEqual({ event: 'complete', oid: good.oid });
  return answers.slice(1, -1);
}

describe('after init, one line is answered by one failure', () => {
  const lines: Record<string, object | string> = {
    'half a message': '{"event":"upload","oid":"',
    'text that is no JSON': 'hello',
    'a list': '[{"event":"terminate"}]',
    'a number': '42',
    'a string': '"terminate"',
    null: 'null',
    'an empty object': {},
    'an unknown event': { event: 'verify', oid: OID },
    'an event in capitals': { event: 'Upload', oid: OID, size: 1, path: 'x' },
    'an event that is no text': { event: ['upload'], oid: OID },
    'an event of deep lists': `{"event":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
    'a missing oid': { event: 'upload', size: 1, path: 'x' },
    'an oid in capitals': { event: 'upload', oid: OID.toUpperCase(), size: 1, path: 'x' },
    'an oid that climbs': { event: 'upload', oid: `../../${OID.slice(6)}`, size: 1, path: 'x' },
    'an oid that is too short': { event: 'upload', oid: OID.slice(1), size: 1, path: 'x' },
    'an oid with a line end': { event: 'upload', oid: `${OID}\n`, size: 1, path: 'x' },
    'an oid that is a number': { event: 'download', oid: 7, size: 1 },
    'a missing size': { event: 'upload', oid: OID, path: 'x' },
    'a negative size': { event: 'upload', oid: OID, size: -1, path: 'x' },
    'half a byte': { event: 'upload', oid: OID, size: 1.5, path: 'x' },
    'a size that is text': { event: 'upload', oid: OID, size: '1', path: 'x' },
    'a size past all numbers': `{"event":"upload","oid":"${OID}","size":1e400,"path":"x"}`,
    'a size past the whole numbers': `{"event":"upload","oid":"${OID}","size":9007199254740993,"path":"x"}`,
    'a missing path': { event: 'upload', oid: OID, size: 1 },
    'an empty path': { event: 'upload', oid: OID, size: 1, path: '' },
    'a path with NUL': { event: 'upload', oid: OID, size: 1, path: 'a\0b' },
    'a path that is a list': { event: 'upload', oid: OID, size: 1, path: ['x'] },
    'fields of the prototype': `{"__proto__":{"event":"terminate"},"constructor":1,"toString":2}`,
    'a line of 2 MiB': `{"event":"upload","oid":"${OID}","path":"${'x'.repeat(2 * 1024 * 1024)}"}`,
    'a second init': INIT_UPLOAD,
  };
  // One session for all of them under Wine, where each takes a second or two.
  const sessions =
    process.platform === 'win32'
      ? [{ name: 'all of them', sent: Object.values(lines) }]
      : Object.entries(lines).map(([name, line]) => ({ name, sent: [line] }));
  test.each(sessions)('$name', async ({ sent }) => {
    for (const answer of await answersTo(...sent)) {
      expect(answer.error).toEqual({ code: 1, message: expect.stringContaining('git-lfs sent something unexpected') });
    }
  });
});

test('the answer to a request that cannot be used carries its oid, so that git-lfs can match it', async () => {
  const [answer] = await answersTo({ event: 'upload', oid: OID, size: -1, path: 'x' });
  expect(answer).toMatchObject({ event: 'complete', oid: OID });
});

test('a message about a line does not repeat all of it', async () => {
  const [answer] = await answersTo({ event: 'x'.repeat(500_000), oid: OID });
  expect(answer?.error?.message.length).toBeLessThan(10_000);
});

test('a huge size that is a whole number is no reason to fail before the file is looked at', async () => {
  const object = box.object(10);
  const [answer] = await answersTo({ ...upload(object), size: Number.MAX_SAFE_INTEGER });
  expect(answer?.error?.code).toBe(5);
});

test('empty lines are no messages: they are passed over', async () => {
  expect(await answersTo()).toEqual([]);
  const agent = new AgentProcess(box, box.store);
  agent.write('\n\r\n   \n');
  agent.send(INIT_UPLOAD);
  agent.write('\n\n');
  expect(await agent.finish()).toEqual([{}]);
});

test('a transfer before init fails, and init is still possible', async () => {
  const object = box.object(10);
  const agent = new AgentProcess(box, box.store);
  agent.send(upload(object), INIT_UPLOAD, upload(object));
  const [early, init, late] = await agent.finish();
  expect(early).toMatchObject({ event: 'complete', oid: object.oid, error: { code: 1 } });
  expect(init).toEqual({});
  expect(late).toEqual({ event: 'complete', oid: object.oid });
});

test('an init without a known operation is answered with an error, as git-lfs expects it', async () => {
  for (const line of ['{"event":"init"}', '{"event":"init","operation":"sync","remote":"origin"}', 'nonsense']) {
    const agent = new AgentProcess(box, box.store);
    agent.send(line);
    const answers = await agent.finish();
    expect(answers).toEqual([{ error: { code: 1, message: expect.any(String) } }]);
  }
});

test('nothing is answered after terminate', async () => {
  const agent = new AgentProcess(box, box.store);
  agent.write(`${[INIT_UPLOAD, TERMINATE, upload(box.object(10))].map((line) => JSON.stringify(line)).join('\n')}\n`);
  await agent.gone(2000);
  expect(agent.messages).toEqual([{}]);
});

test('lines may end in CRLF, be split anywhere, and share a write', async () => {
  const objects = [box.objectOf(Buffer.from('äöü')), box.object(10), box.object(20)];
  const accented = box.write('local/grün-🎨', 'x');
  const lines = [INIT_UPLOAD, ...objects.map(upload), { ...upload(box.objectOf(Buffer.from('x'))), path: accented }];
  const bytes = Buffer.from(`${lines.map((line) => JSON.stringify(line)).join('\r\n')}\r\n`);
  const whole = new AgentProcess(box, box.store);
  whole.write(bytes);
  const pieces = new AgentProcess(box, box.store);
  for (const byte of bytes) {
    pieces.write(Buffer.of(byte));
    if (byte % 7 === 0) await new Promise(setImmediate);
  }
  for (const agent of [whole, pieces]) {
    const answers = await agent.finish();
    expect(answers).toHaveLength(5);
    expect(answers.filter(({ error }) => error)).toEqual([]);
  }
});

test('a last line without an end counts', async () => {
  const agent = new AgentProcess(box, box.store);
  agent.write(JSON.stringify(INIT_UPLOAD));
  agent.endInput();
  await agent.gone(2000);
  expect(agent.messages).toEqual([{}]);
});
