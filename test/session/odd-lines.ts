import fc from 'fast-check';

/** Lines as git-lfs sends them, and what chance makes of them. */

const oid = fc.stringMatching(/^[0-9a-f]{64}$/);
const size = fc.oneof(fc.nat({ max: 5000 }), fc.constantFrom(0, 1, Number.MAX_SAFE_INTEGER));

const init = fc.record({
  event: fc.constant('init'),
  operation: fc.constantFrom('upload', 'download'),
  remote: fc.string(),
});
const upload = fc.record({ event: fc.constant('upload'), oid, size, path: fc.stringMatching(/^[^\0]+$/) });
const download = fc.record({ event: fc.constant('download'), oid, size, action: fc.constant(null) });
const terminate = fc.constant({ event: 'terminate' });

type Fields = Record<string, unknown>;

const goodFields: fc.Arbitrary<Fields> = fc.oneof(
  { arbitrary: upload, weight: 5 },
  { arbitrary: download, weight: 5 },
  { arbitrary: init, weight: 2 },
  { arbitrary: terminate, weight: 1 },
);

/** Names that mean something to JavaScript, or to the protocol. */
const key = fc.constantFrom(
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'then', 'toJSON', ''],
  ...['event', 'oid', 'size', 'path', 'operation', 'error', 'length'],
);

const oddValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.string({ unit: 'binary' }),
  fc.constantFrom(-1, 1.5, -0, 1e308, 2 ** 53, 'init', 'upload', 'terminate', '__proto__', '\0', '\ud800', ''),
  oid.map((digits) => digits.toUpperCase()),
);

/** Good JSON whose fields are swapped, replaced, removed, doubled or added. */
const oddFields: fc.Arbitrary<string> = fc
  .tuple(goodFields, fc.array(fc.tuple(key, key, oddValue, fc.nat(4)), { minLength: 1, maxLength: 4 }))
  .map(([fields, changes]) => {
    const entries = Object.entries(fields);
    for (const [name, other, value, kind] of changes) {
      const at = entries.findIndex(([present]) => present === name);
      const found = entries[at];
      if (kind === 0) entries.push([name, value]);
      else if (!found) entries.unshift([name, value]);
      else if (kind === 1) found[1] = value;
      else if (kind === 2) entries.splice(at, 1);
      else if (kind === 3) found[0] = other;
      else found[1] = fields[other] ?? null;
    }
    // By hand: a key may stand there twice, and be `__proto__`.
    return `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`;
  });

const cut = (text: string, part: number): string => text.slice(0, Math.floor(text.length * part));

/** Text that was good once: cut, doubled, turned, or with something put in. */
const oddText: fc.Arbitrary<string> = fc
  .tuple(
    goodFields.map((fields) => JSON.stringify(fields)),
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 8 }),
      fc.constantFrom('\0', '\u2028', '\ufeff', '\\', '"', '{}', '\r'),
    ),
    fc.nat(5),
  )
  .map(([text, where, extra, kind]) => {
    const head = cut(text, where);
    const tail = text.slice(head.length);
    if (kind === 0) return head;
    if (kind === 1) return text + text;
    if (kind === 2) return tail + head;
    if (kind === 3) return head + extra;
    return head + extra + tail;
  });

const deep: fc.Arbitrary<string> = fc
  .tuple(fc.nat(3000), fc.constantFrom('event', 'oid', 'size', 'x'))
  .map(([depth, name]) => {
    const nested = `${'['.repeat(depth)}${']'.repeat(depth)}`;
    return `{"event":"download","${name}":${nested}}`;
  });

const garbage = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.stringify(value)),
  fc.constantFrom('', ' ', '{', '}', 'null', '[]', '{}', '""', '\0', '\ufeff{"event":"terminate"}'),
);

const oneLine = (line: string): string => line.replaceAll('\n', '');

export const goodLine = goodFields.map((fields) => JSON.stringify(fields));

export const anyLine: fc.Arbitrary<string> = fc
  .oneof(
    { arbitrary: goodLine, weight: 8 },
    { arbitrary: oddFields, weight: 6 },
    { arbitrary: oddText, weight: 5 },
    { arbitrary: garbage, weight: 2 },
    { arbitrary: deep, weight: 1 },
  )
  .map(oneLine);

/** A session's input: most start with a good init. */
export const anySession: fc.Arbitrary<string[]> = fc
  .tuple(fc.option(init, { freq: 5 }), fc.array(anyLine, { maxLength: 12 }))
  .map(([start, lines]) => (start ? [JSON.stringify(start), ...lines] : lines));
