import { expect, test } from 'vitest';
import { INIT_VARIABLE, NEXT_VARIABLE, takeHandover } from '../../agent/handover.ts';

test('both lines are taken in order, and out of the environment', () => {
  const environment = { PATH: '/bin', [INIT_VARIABLE]: '{"event":"init"}', [NEXT_VARIABLE]: '{"event":"upload"}' };
  expect(takeHandover(environment)).toEqual({
    lines: ['{"event":"init"}', '{"event":"upload"}'],
    initAnswered: true,
  });
  expect(environment).toEqual({ PATH: '/bin' });
});

test('they are taken once only', () => {
  const environment = { [INIT_VARIABLE]: 'a', [NEXT_VARIABLE]: 'b' };
  takeHandover(environment);
  expect(takeHandover(environment)).toEqual({ lines: [], initAnswered: false });
});

test('without them everything is read from stdin', () => {
  expect(takeHandover({})).toEqual({ lines: [], initAnswered: false });
});

test.each([INIT_VARIABLE, NEXT_VARIABLE])('%s alone is none of ours, and is not passed on', (name) => {
  const environment = { [name]: '{"event":"init"}' };
  expect(takeHandover(environment)).toEqual({ lines: [], initAnswered: false });
  expect(environment).toEqual({});
});
