import * as node from 'node:test';
import { format } from 'node:util';
import { chai, JestAsymmetricMatchers, JestChaiExpect, JestExtend } from '@vitest/expect';

/**
 * What the tests ask of vitest, on Node's own test runner: vitest does not start under Wine. The words are vitest's, so
 * that one file of tests runs in both; `expect` is vitest's own.
 */
chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);
export const { expect } = chai;

/** As in vitest.config.ts. */
const TIMEOUT = 120_000;

interface Context {
  skip(note?: string): void;
}
type Body = (...args: never[]) => unknown;

const SKIPPED = Symbol('skipped');

function run(title: string, body: (context: Context) => unknown): void {
  void node.test(title, { timeout: TIMEOUT }, async (context) => {
    const skip = (note?: string): void => {
      context.skip(note);
      throw SKIPPED;
    };
    try {
      await body({ skip });
    } catch (error) {
      if (error !== SKIPPED) throw error;
    }
  });
}

const skipped = (title: string): void => void node.test.skip(title);

export const test = Object.assign(run, {
  skip: skipped,
  skipIf: (condition: unknown) => (condition ? skipped : run),
  runIf: (condition: unknown) => (condition ? run : skipped),
  each: (rows: readonly unknown[]) => (title: string, body: Body) => {
    for (const row of rows) run(titleOf(title, row), () => body(...argumentsOf(row)));
  },
});

function group(title: string, body: () => void): void {
  void node.describe(title, () => body());
}

const skippedGroup = (title: string): void => void node.describe.skip(title, () => {});

export const describe = Object.assign(group, {
  skip: skippedGroup,
  skipIf: (condition: unknown) => (condition ? skippedGroup : group),
  runIf: (condition: unknown) => (condition ? group : skippedGroup),
  each: (rows: readonly unknown[]) => (title: string, body: Body) => {
    for (const row of rows) group(titleOf(title, row), () => void body(...argumentsOf(row)));
  },
});

const hook = (add: typeof node.before) => (body: () => unknown) =>
  add(async () => void (await body()), { timeout: TIMEOUT });
export const beforeAll = hook(node.before);
export const beforeEach = hook(node.beforeEach);
export const afterEach = hook(node.afterEach);
export const afterAll = hook(node.after);

function argumentsOf(row: unknown): never[] {
  return (Array.isArray(row) ? row : [row]) as never[];
}

/** `%s`, `%i` and so on are the arguments in turn, `$name` a field of the first. */
function titleOf(title: string, row: unknown): string {
  const [first] = argumentsOf(row) as unknown[];
  const named = title.replace(/\$(\w+)/g, (whole, name: string) =>
    typeof first === 'object' && first !== null && name in first ? String(Reflect.get(first, name)) : whole,
  );
  const places = named.match(/%[sdifjoO]/g)?.length ?? 0;
  return format(named, ...argumentsOf(row).slice(0, places));
}
