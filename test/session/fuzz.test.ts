import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { parseRequest, printReplies } from '../../agent/protocol.ts';
import { runSession, type Transfer } from '../../agent/session.ts';
import { type Message, stopLeftovers } from './agent-process.ts';
import { checkAnswers, expectedAnswers } from './expected-answers.ts';
import { anyLine, anySession } from './odd-lines.ts';
import { checkOddSessions } from './odd-sessions.ts';
import { SessionSandbox } from './session-sandbox.ts';

const SEED = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31);
console.log(`FUZZ_SEED=${SEED}`);

let box: SessionSandbox;
beforeAll(async () => {
  box = await SessionSandbox.make();
});
afterEach(stopLeftovers);
afterAll(() => box.remove());

test('10,000 lines are read without a crash, and what passes is what git-lfs may ask for', () => {
  const property = fc.property(anyLine, (line) => {
    const request = parseRequest(line);
    if (request.event !== 'upload' && request.event !== 'download') return;
    expect(request.oid).toMatch(/^[0-9a-f]{64}$/);
    expect(Number.isSafeInteger(request.size) && request.size >= 0).toBe(true);
    if (request.event === 'upload') expect(request.path).toMatch(/^[^\0]+$/);
    expect(Object.getPrototypeOf(request)).toBe(Object.prototype);
  });
  fc.assert(property, { numRuns: 10_000, seed: SEED });
});

/** What a fake transfer does with one object. */
interface Deed {
  progress: number[];
  /** Whether it gives way to other work first. */
  later: boolean;
  outcome: { kind: 'done'; path: string | undefined } | { kind: 'throws'; what: unknown; at: 'once' | 'later' };
}

const deed: fc.Arbitrary<Deed> = fc.record({
  progress: fc.array(fc.oneof(fc.nat(6000), fc.constantFrom(-5, 0, 2 ** 60, -0)), { maxLength: 5 }),
  later: fc.boolean(),
  outcome: fc.oneof(
    fc.record({
      kind: fc.constant('done' as const),
      path: fc.option(fc.string({ unit: 'binary' }), { nil: undefined }),
    }),
    fc.record({
      kind: fc.constant('throws' as const),
      what: fc.constantFrom<unknown>(...oddThings()),
      at: fc.constantFrom('once' as const, 'later' as const),
    }),
  ),
});

/** What JavaScript lets one throw. */
function oddThings(): unknown[] {
  const misleading = Object.assign(new Error('x'), { kind: 'absent', code: 7 });
  return [
    new Error('no'),
    new Error('\ud800'),
    misleading,
    'text',
    undefined,
    null,
    0,
    Symbol('s'),
    10n,
    [],
    { a: 1 },
    () => 1,
  ];
}

/** A fake of transferWith (agent/transfer.ts) that does one deed an object. */
function fakeTransfer(deeds: Deed[]): Transfer {
  let turn = 0;
  return (_, { onProgress }) => {
    const { progress, later, outcome } = deeds[turn++ % deeds.length]!;
    if (outcome.kind === 'throws' && outcome.at === 'once') throw outcome.what;
    return (async () => {
      for (const bytes of progress) {
        if (later) await undefined;
        onProgress(bytes);
      }
      // A transfer that reports when it is over already.
      void Promise.resolve().then(() => setImmediate(() => onProgress(1)));
      if (outcome.kind === 'throws') throw outcome.what;
      return outcome.path;
    })();
  };
}

interface Play {
  lines: string[];
  transfer: Transfer | undefined;
  initAnswered?: boolean;
}

/** Runs a session to its end, with fakes of stdin and stdout; gives what it said. */
async function play({ lines, transfer, initAnswered = false }: Play): Promise<Message[]> {
  const input = [...lines];
  const said: string[] = [];
  let ends = 0;
  let timer: NodeJS.Timeout | undefined;
  const hangs = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('the session hangs')), 5000);
  });
  const session = runSession({
    // Input ends when all is answered: before, it would cancel what is under way.
    nextLine: async () =>
      input.shift() ?? (await new Promise<string>((resolve) => setImmediate(resolve, '{"event":"terminate"}'))),
    reply: (...messages) => void said.push(...messages.map((message) => printReplies([message]))),
    connect: async () => {
      if (transfer) return transfer;
      throw new Error('no store');
    },
    initAnswered,
    onEnd: () => void ends++,
    stop: new AbortController().signal,
    onCrash: () => {},
  });
  try {
    await Promise.race([session, hangs]);
  } finally {
    clearTimeout(timer);
  }
  expect(ends).toBe(1);
  return said.map((line) => {
    expect(line.indexOf('\n')).toBe(line.length - 1);
    return JSON.parse(line);
  });
}

test('10,000 sessions of odd lines: each line is answered once, in order, and nothing else is said', async () => {
  const property = fc.asyncProperty(
    anySession,
    fc.array(deed, { minLength: 1, maxLength: 4 }),
    fc.boolean(),
    async (lines, deeds, opens) => {
      checkAnswers(
        await play({ lines, transfer: opens ? fakeTransfer(deeds) : undefined }),
        expectedAnswers(lines, false),
      );
    },
  );
  await fc.assert(property, { numRuns: 10_000, seed: SEED });
});

const OBJECT = JSON.stringify({ event: 'download', oid: '0'.repeat(64), size: 100 });
const START = '{"event":"init","operation":"download","remote":"origin"}';

test.each([
  ['without a prototype', Object.create(null)],
  [
    'whose text cannot be had',
    {
      toString: () => {
        throw new Error('no text');
      },
    },
  ],
  [
    'that is an error without a text',
    Object.defineProperty(new Error('x'), 'stack', {
      get: () => {
        throw new Error('no stack');
      },
    }),
  ],
])('a thrown thing %s fails its object only', async (_, thing) => {
  const transfer: Transfer = async () => {
    throw thing;
  };
  const lines = [START, OBJECT, OBJECT];
  checkAnswers(await play({ lines, transfer }), expectedAnswers(lines, false));
});

test.each([Number.NaN, 1.5, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
  'a progress of %d is not told: git-lfs cannot read it',
  async (bytes) => {
    const transfer: Transfer = async (_, { onProgress }) => {
      onProgress(bytes);
      return undefined;
    };
    const lines = [START, OBJECT];
    checkAnswers(await play({ lines, transfer }), expectedAnswers(lines, false));
  },
);

test('after a handover, init is not answered and all else is', async () => {
  const transfer: Transfer = async () => undefined;
  const property = fc.asyncProperty(anySession, async (rest) => {
    const lines = [START, ...rest];
    checkAnswers(await play({ lines, transfer, initAnswered: true }), expectedAnswers(lines, true));
  });
  await fc.assert(property, { numRuns: 1000, seed: SEED });
});

test('200 sessions of odd lines with the real process, which answers and ends', () => checkOddSessions(box, 200, SEED));
