import { afterAll, afterEach, beforeAll, test } from 'vitest';
import { stopLeftovers } from '../../session/agent-process.ts';
import { checkOddSessions } from '../../session/odd-sessions.ts';
import { SessionSandbox } from '../../session/session-sandbox.ts';

const SEED = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31);

let box: SessionSandbox;
beforeAll(async () => {
  box = await SessionSandbox.make();
});
afterEach(stopLeftovers);
afterAll(() => box.remove());

// The rest of session/fuzz.test.ts runs in one process and meets nothing of Windows.
test(`10 sessions of odd lines with the real process, which answers and ends (FUZZ_SEED=${SEED})`, () =>
  checkOddSessions(box, 10, SEED));
