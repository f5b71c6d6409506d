import { parseRequest } from '../../agent/protocol.ts';
import type { Message } from './agent-process.ts';

/** What must be said to a line: the oid of the object it completes, or undefined for a plain `{}` or `{error}`. */
export interface Expected {
  oid: string | undefined;
  /** Whether it can be anything but a failure. */
  mayFail: boolean;
  maySucceed: boolean;
  /** Bytes that its progress must add up to when it succeeds. */
  size: number;
}

/** The answers that the lines of one session ask for, in their order. */
export function expectedAnswers(lines: string[], initAnswered: boolean): Expected[] {
  const expected: Expected[] = [];
  let started = false;
  for (const line of lines) {
    if (line.trim() === '') continue;
    const request = parseRequest(line);
    if (request.event === 'terminate') break;
    if (request.event === 'init') {
      if (started || !initAnswered) expected.push({ oid: undefined, mayFail: started, maySucceed: !started, size: 0 });
      started = true;
    } else if (request.event === 'invalid') {
      expected.push({ oid: started ? request.oid : undefined, mayFail: true, maySucceed: false, size: 0 });
    } else {
      expected.push({ oid: request.oid, mayFail: true, maySucceed: started, size: request.size });
    }
  }
  return expected;
}

/** @throws unless the messages are those answers, each once and in order, with progress only where it belongs. */
export function checkAnswers(messages: Message[], expected: Expected[]): void {
  const waiting = [...expected];
  let soFar = 0;
  for (const message of messages) {
    const next = waiting[0];
    if (!next) throw new Error(`an answer too many: ${JSON.stringify(message)}`);
    if (message.event === 'progress') {
      const { bytesSoFar, bytesSinceLast } = message;
      if (message.oid !== next.oid || !next.maySucceed) throw new Error('progress of an object that is not in hand');
      if (!Number.isSafeInteger(bytesSoFar) || bytesSoFar! <= soFar) throw new Error(`progress: ${bytesSoFar}`);
      if (bytesSinceLast !== bytesSoFar! - soFar) throw new Error(`progress of ${bytesSinceLast} since ${soFar}`);
      soFar = bytesSoFar!;
      continue;
    }
    waiting.shift();
    if (!message.error && soFar !== next.size) throw new Error(`progress ended at ${soFar} of ${next.size}`);
    soFar = 0;
    if (message.event !== (next.oid === undefined ? undefined : 'complete')) throw new Error(`event ${message.event}`);
    if (message.oid !== next.oid) throw new Error(`the answer for ${next.oid} came for ${message.oid}`);
    if (message.error ? !next.mayFail : !next.maySucceed) throw new Error(`outcome: ${JSON.stringify(message)}`);
    if (message.error) checkError(message.error);
  }
  if (waiting.length > 0) throw new Error(`not answered: ${JSON.stringify(waiting)}`);
}

function checkError({ code, message }: { code: number; message: string }): void {
  if (!Number.isInteger(code) || code < 1 || code > 9) throw new Error(`code ${code}`);
  if (typeof message !== 'string' || message === '') throw new Error(`message ${message}`);
}
