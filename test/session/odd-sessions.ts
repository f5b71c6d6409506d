import fc from 'fast-check';
import { AgentProcess } from './agent-process.ts';
import { checkAnswers, expectedAnswers } from './expected-answers.ts';
import { anySession } from './odd-lines.ts';
import type { SessionSandbox } from './session-sandbox.ts';

/** Sessions of odd lines with the real process, which has to answer each and to end. */
export async function checkOddSessions(box: SessionSandbox, numRuns: number, seed: number): Promise<void> {
  const property = fc.asyncProperty(anySession, fc.boolean(), async (lines, crlf) => {
    const agent = new AgentProcess(box, box.store);
    agent.write(lines.map((line) => line + (crlf ? '\r\n' : '\n')).join(''));
    await agent.finish();
    // What the process reads is UTF-8: a lone surrogate arrives as U+FFFD.
    const arrived = lines.map((line) => Buffer.from(line).toString().replace(/\r$/, ''));
    checkAnswers(agent.messages, expectedAnswers(arrived, false));
  });
  await fc.assert(property, { numRuns, seed });
}
