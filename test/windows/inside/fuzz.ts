import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, test } from 'vitest';
import { AgentProcess, stopLeftovers } from '../../session/agent-process.ts';
import { checkAnswers, expectedAnswers } from '../../session/expected-answers.ts';
import { anySession } from '../../session/odd-lines.ts';
import { SessionSandbox } from '../../session/session-sandbox.ts';

const SEED = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31);

let box: SessionSandbox;
beforeAll(async () => {
  box = await SessionSandbox.make();
});
afterEach(stopLeftovers);
afterAll(() => box.remove());

// The rest of session/fuzz.test.ts runs in one process and meets nothing of Windows.
test(`10 sessions of odd lines with the real process, which answers and ends (FUZZ_SEED=${SEED})`, async () => {
  const property = fc.asyncProperty(anySession, fc.boolean(), async (lines, crlf) => {
    const agent = new AgentProcess(box, box.store);
    agent.write(lines.map((line) => line + (crlf ? '\r\n' : '\n')).join(''));
    await agent.finish();
    const arrived = lines.map((line) => Buffer.from(line).toString().replace(/\r$/, ''));
    checkAnswers(agent.messages, expectedAnswers(arrived, false));
  });
  await fc.assert(property, { numRuns: 10, seed: SEED });
});
