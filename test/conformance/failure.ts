import { expect } from 'vitest';
import { DepotError, type Kind } from '../../backends/errors.ts';

/** The DepotError that a call fails with; a test fails when it succeeds, or fails with anything else. */
export async function failureOf(call: Promise<unknown>): Promise<DepotError> {
  const outcome = await call.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ('value' in outcome) throw new Error(`it should have failed, and gave ${JSON.stringify(outcome.value)}`);
  if (!(outcome.error instanceof DepotError)) throw outcome.error;
  return outcome.error;
}

/** A failure of that kind, which says what, why and what to do. */
export async function expectFailure(call: Promise<unknown>, kind: Kind): Promise<DepotError> {
  const error = await failureOf(call);
  expect(error.kind, error.message).toBe(kind);
  expect(error.what).not.toBe('');
  expect(error.why).not.toBe('');
  expect(error.cure).not.toBe('');
  return error;
}
