import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cacheFrom } from '../../agent/cache/cache.ts';
import { cacheSettings } from '../../agent/cache/settings.ts';
import { configOf, type Setting } from '../../agent/config.ts';
import { expectFailure } from '../conformance/failure.ts';

const GIB = 1024 ** 3;

function settings(values: Record<string, string>) {
  return configOf(Object.entries(values).map(([key, value]): Setting => ({ scope: 'global', key, value })));
}

test('there is no cache unless one is configured, and an empty value turns it off', async () => {
  expect(await cacheFrom(settings({}))).toBeUndefined();
  expect(await cacheFrom(settings({ 'depot.cachesize': '1g' }))).toBeUndefined();
  expect(await cacheFrom(settings({ 'depot.cache': '' }))).toBeUndefined();
  expect(await cacheFrom(settings({ 'depot.cache': '/var/cache/lfs' }))).toBeDefined();
});

test('the folder is absolute, or in one’s home', async () => {
  expect(await cacheSettings(settings({ 'depot.cache': '/var/cache/lfs' }))).toEqual({
    folder: '/var/cache/lfs',
    bound: 20 * GIB,
  });
  const home = process.env.HOME || homedir();
  expect((await cacheSettings(settings({ 'depot.cache': '~/.cache/lfs' })))?.folder).toBe(join(home, '.cache/lfs'));
  for (const value of ['cache', './cache', '../cache', 'true']) {
    const error = await expectFailure(cacheFrom(settings({ 'depot.cache': value })), 'configuration');
    expect(error.message).toContain(`'${value}' is not absolute`);
    expect(error.cure).toContain('git config --show-origin --get-all depot.cache');
  }
});

test.each([
  ['1m', 1024 ** 2],
  ['500M', 500 * 1024 ** 2],
  ['2048k', 2048 * 1024],
  ['+20g', 20 * GIB],
  ['3000000', 3_000_000],
])('the size %s is %i bytes', async (value, bytes) => {
  const config = settings({ 'depot.cache': '/c', 'depot.cachesize': value });
  expect((await cacheSettings(config))?.bound).toBe(bytes);
});

test.each(['', 'g', '20', '-1g', '0', '1.5g', '20gb', '1t', '1023k', 'true', '99999999999999g'])(
  'the size %j is refused',
  async (value) => {
    const config = settings({ 'depot.cache': '/c', 'depot.cachesize': value });
    const error = await expectFailure(cacheFrom(config), 'configuration');
    expect(error.what).toBe('cannot use depot.cacheSize');
  },
);
