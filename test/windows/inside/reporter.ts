import type { TestEvent } from 'node:test/reporters';
import { inspect, stripVTControlCharacters } from 'node:util';
import type { WindowsResult } from '../windows-result.ts';

/** A reporter for Node's test runner: each test and each failing group is one line of JSON, a `WindowsResult`. */
export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  /** The groups around the test at hand, outermost first. */
  let groups: string[] = [];
  for await (const { type, data } of events) {
    if (type === 'test:start') groups = [...groups.slice(0, data.nesting), data.name];
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const isGroup = data.details.type === 'suite';
    if (isGroup && type === 'test:pass') continue;
    const name = [...groups.slice(0, data.nesting), data.name].join(' > ');
    const skipped = data.skip !== undefined && data.skip !== false;
    const outcome = type === 'test:fail' ? 'failed' : skipped ? 'skipped' : 'passed';
    // A group that failed only because a test in it did tells nothing new.
    const error = type === 'test:fail' ? data.details.error : undefined;
    if (isGroup && (error as { failureType?: string } | undefined)?.failureType === 'subtestsFailed') continue;
    const result: WindowsResult = { name, outcome, milliseconds: Math.round(data.details.duration_ms) };
    if (error) result.why = stripVTControlCharacters(inspect(error.cause ?? error));
    yield `${JSON.stringify(result)}\n`;
  }
}
