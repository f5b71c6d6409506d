import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { readConfig } from '../../agent/config.ts';
import { retriesFrom } from '../../agent/retry-settings.ts';
import { DepotError } from '../../backends/errors.ts';
import { Sandbox } from '../sandbox.ts';

let box: Sandbox;
beforeEach(() => {
  box = new Sandbox();
  for (const name of Object.keys(process.env)) if (name.startsWith('GIT_')) vi.stubEnv(name, undefined);
  for (const name of ['HOME', 'XDG_CONFIG_HOME', 'GIT_CONFIG_NOSYSTEM']) vi.stubEnv(name, box.env[name]);
});
afterEach(() => {
  vi.unstubAllEnvs();
  box.remove();
});

async function settings(given: Record<string, string>) {
  for (const [key, value] of Object.entries(given)) await box.git('.', 'config', '--global', key, value);
  return retriesFrom(await readConfig(box.root, undefined));
}

test('without any there are six repetitions, after half a second at first, and two minutes of silence', async () => {
  expect(await settings({})).toEqual({ count: 6, pause: 500, timeout: 120_000, onRetry: expect.any(Function) });
});

test('each is read as git writes it; the time is in seconds', async () => {
  const given = { 'depot.retries': '2', 'depot.retryPause': '10', 'depot.retryTimeout': '30' };
  expect(await settings(given)).toMatchObject({ count: 2, pause: 10, timeout: 30_000 });
});

test.each([
  [
    { 'depot.retries': '0', 'depot.retryPause': '0', 'depot.retryTimeout': '0' },
    { count: 0, pause: 0, timeout: 0 },
  ],
  [
    { 'depot.retries': '100', 'depot.retryPause': '60000', 'depot.retryTimeout': '86400' },
    { count: 100, pause: 60_000, timeout: 86_400_000 },
  ],
])('%j is allowed', async (given, wanted) => {
  expect(await settings(given)).toMatchObject(wanted);
});

test.each([
  ['depot.retries', '101', 'a whole number from 0 to 100'],
  ['depot.retries', '-1', 'a whole number from 0 to 100'],
  ['depot.retries', 'many', 'a whole number from 0 to 100'],
  ['depot.retries', '', 'a whole number from 0 to 100'],
  ['depot.retryPause', '60001', 'a whole number from 0 to 60000'],
  ['depot.retryPause', '0.5', 'a whole number from 0 to 60000'],
  ['depot.retryTimeout', '86401', 'a whole number from 0 to 86400'],
  ['depot.retryTimeout', '2m', 'a whole number from 0 to 86400'],
])('%s = %s is refused, with what it could be and where it is set', async (key, value, wanted) => {
  const error: unknown = await settings({ [key]: value }).catch((reason: unknown) => reason);
  if (!(error instanceof DepotError)) throw new Error(`it should have been refused, and gave ${error}`);
  expect(error.kind).toBe('configuration');
  expect(error.what).toBe(`cannot use ${key}`);
  expect(error.why).toBe(`'${value}' is not ${wanted}`);
  expect(error.cure).toContain(`git config --show-origin --get-all ${key}`);
});
