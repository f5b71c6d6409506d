import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseRequest, printReplies, problemOf, type Reply } from '../../agent/protocol.ts';
import { DepotError, type Kind } from '../../backends/errors.ts';

const OID = 'a'.repeat(64);

test.each([
  [
    '{"event":"init","operation":"upload","remote":"origin","concurrent":true,"concurrenttransfers":8}',
    { event: 'init', operation: 'upload', remote: 'origin' },
  ],
  [
    '{"event":"init","operation":"download","remote":"https://x/y"}',
    { event: 'init', operation: 'download', remote: 'https://x/y' },
  ],
  ['{"event":"init","operation":"download"}', { event: 'init', operation: 'download', remote: '' }],
  ['{"event":"terminate"}', { event: 'terminate' }],
  [' { "event" : "terminate" } ', { event: 'terminate' }],
  [
    `{"event":"upload","oid":"${OID}","size":0,"path":"/a b/\\u00fc\\"x","action":null}`,
    { event: 'upload', oid: OID, size: 0, path: '/a b/ü"x' },
  ],
  [`{"event":"download","oid":"${OID}","size":5000000000}`, { event: 'download', oid: OID, size: 5_000_000_000 }],
  [
    `{"event":"download","oid":"${OID}","size":9007199254740991}`,
    { event: 'download', oid: OID, size: Number.MAX_SAFE_INTEGER },
  ],
])('%s is understood', (line, request) => {
  expect(parseRequest(line)).toEqual(request);
});

describe('what is not understood is invalid, and keeps the oid to answer for', () => {
  test.each([
    ['', '', 'JSON'],
    ['hello', '', 'JSON'],
    ['{"event":"terminate"', '', 'JSON'],
    ['null', '', 'object'],
    ['[]', '', 'object'],
    ['"init"', '', 'object'],
    ['{}', '', 'missing'],
    ['{"event":1,"oid":"x"}', 'x', 'event'],
    ['{"event":"verify","oid":"x"}', 'x', '"verify"'],
    ['{"event":"toString"}', '', 'toString'],
    ['{"event":"init","operation":"delete"}', '', 'operation'],
    ['{"event":"init"}', '', 'operation'],
    ['{"event":"upload","oid":"../../etc/passwd","size":1,"path":"x"}', '../../etc/passwd', 'oid'],
    [`{"event":"upload","oid":"${OID.toUpperCase()}","size":1,"path":"x"}`, OID.toUpperCase(), 'oid'],
    [`{"event":"upload","oid":"${OID}","size":-1,"path":"x"}`, OID, 'size'],
    [`{"event":"upload","oid":"${OID}","size":1.5,"path":"x"}`, OID, 'size'],
    [`{"event":"upload","oid":"${OID}","size":"1","path":"x"}`, OID, 'size'],
    [`{"event":"upload","oid":"${OID}","size":1e300,"path":"x"}`, OID, 'size'],
    [`{"event":"upload","oid":"${OID}","path":"x"}`, OID, 'size'],
    [`{"event":"upload","oid":"${OID}","size":1}`, OID, 'path'],
    [`{"event":"upload","oid":"${OID}","size":1,"path":""}`, OID, 'path'],
    [`{"event":"upload","oid":"${OID}","size":1,"path":"a\\u0000b"}`, OID, 'path'],
    ['{"event":"download","oid":["x"],"size":1}', '', 'oid'],
  ])('%s', (line, oid, why) => {
    const request = parseRequest(line);
    expect(request).toMatchObject({ event: 'invalid', oid });
    if (request.event === 'invalid') expect(request.why).toContain(why);
  });

  test('no line makes it throw', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (line) => typeof parseRequest(line).event === 'string'));
  });
});

test('a reply is one line of JSON, whatever it holds', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.nat(), (message, code) => {
      const reply: Reply = { event: 'complete', oid: OID, error: { code, message } };
      const line = printReplies([reply]);
      expect(line.indexOf('\n')).toBe(line.length - 1);
      expect(JSON.parse(line)).toEqual(reply);
    }),
  );
});

test.each<[Kind, number]>([
  ['internal', 1],
  ['unsupported', 2],
  ['configuration', 2],
  ['untrusted', 2],
  ['no-store', 3],
  ['unreachable', 3],
  ['absent', 4],
  ['corrupt', 5],
  ['credentials', 6],
  ['denied', 6],
  ['no-space', 7],
  ['conflict', 8],
  ['cancelled', 9],
])('an error of kind %s has the code %i', (kind, code) => {
  const error = new DepotError(kind, { what: 'cannot do it', why: 'no reason', cure: 'try harder' });
  expect(problemOf(error)).toEqual({ code, message: 'cannot do it: no reason\nhint: try harder' });
});

test('whatever else was thrown is a mistake of this program, with its words', () => {
  expect(problemOf(new TypeError('x is not a function'))).toMatchObject({ code: 1 });
  expect(problemOf(new TypeError('x is not a function')).message).toContain('x is not a function');
  for (const thrown of ['text', undefined, null, 7, {}]) expect(problemOf(thrown).code).toBe(1);
});
