import { describe, expect, test } from 'vitest';
import { configOf, type Setting } from '../../agent/config.ts';
import { assertTrusted, isTrusted, TRUSTED, trustedSettings } from '../../agent/trust.ts';
import { DepotError } from '../../backends/errors.ts';
import { parseLocation } from '../../backends/location.ts';
import { shellWord } from '../../backends/shell-word.ts';

const AROUND = { platform: 'linux', home: '/home/me' } as const;

function trusts(entries: [Setting['scope'], string][], location: string): boolean {
  const config = configOf(entries.map(([scope, value]) => ({ scope, key: TRUSTED, value })));
  return isTrusted(parseLocation(location, AROUND), config, AROUND);
}

test.each(['system', 'global', 'command'] as const)('an entry in %s git config counts', (scope) => {
  expect(trusts([[scope, '/srv/lfs']], '/srv/lfs/art')).toBe(true);
});

test.each(['local', 'worktree', 'lfsconfig', 'unknown'] as const)('an entry of scope %s never counts', (scope) => {
  expect(trusts([[scope, '/srv/lfs']], '/srv/lfs/art')).toBe(false);
  expect(trusts([[scope, '/']], '/srv/lfs')).toBe(false);
});

test('a clone cannot widen, nor take back, what the user allowed', () => {
  expect(
    trusts(
      [
        ['global', '/srv/lfs'],
        ['local', '/'],
        ['lfsconfig', '/etc'],
      ],
      '/etc/secret',
    ),
  ).toBe(false);
  expect(
    trusts(
      [
        ['global', '/srv/lfs'],
        ['local', ''],
      ],
      '/srv/lfs',
    ),
  ).toBe(true);
});

test('without any entry nothing is trusted', () => {
  expect(trusts([], '/srv/lfs')).toBe(false);
});

test('any of several entries allows, in any spelling', () => {
  const entries: [Setting['scope'], string][] = [
    ['system', 'file:///srv/lfs'],
    ['global', '\\\\server\\share'],
    ['global', '~/store'],
  ];
  expect(trusts(entries, '/srv/lfs/a')).toBe(true);
  expect(trusts(entries, '//SERVER/share/a')).toBe(true);
  expect(trusts(entries, '/home/me/store')).toBe(true);
  expect(trusts(entries, '/home/me/other')).toBe(false);
});

test('an entry that cannot be read allows nothing, and does not spoil the others', () => {
  for (const broken of ['', 'true', '*', '.', 'relative', 'D:', 'https://']) {
    expect(trusts([['global', broken]], '/srv/lfs'), broken).toBe(false);
    expect(
      trusts(
        [
          ['global', broken],
          ['global', '/srv'],
        ],
        '/srv/lfs',
      ),
      broken,
    ).toBe(true);
  }
});

test("no '..' leads from an allowed folder to another one", () => {
  expect(trusts([['global', '/srv/lfs']], '/srv/lfs/../secret')).toBe(false);
  expect(trusts([['global', '/srv/lfs']], 'file:///srv/lfs/%2e%2e/secret')).toBe(false);
  expect(trusts([['global', '/srv/lfs/../other']], '/srv/lfs')).toBe(false);
  expect(trusts([['global', '/srv/lfs/../other']], '/srv/other/x')).toBe(true);
});

test('the settings that count are given in order, for a list', () => {
  const settings: Setting[] = [
    { scope: 'system', key: TRUSTED, value: '/a' },
    { scope: 'local', key: TRUSTED, value: '/b' },
    { scope: 'global', key: TRUSTED, value: '/c' },
    { scope: 'global', key: 'depot.verify', value: 'size' },
  ];
  expect(trustedSettings(configOf(settings)).map(({ value }) => value)).toEqual(['/a', '/c']);
});

describe('the refusal', () => {
  function refusal(location: string): DepotError {
    try {
      assertTrusted(parseLocation(location, AROUND), 'lfs.url in .lfsconfig', configOf([]), AROUND);
    } catch (error) {
      if (error instanceof DepotError) return error;
    }
    throw new Error('it was allowed');
  }

  test('names the location, who names it, and the command that allows it', () => {
    const error = refusal('//server/share/lfs');
    expect(error.kind).toBe('untrusted');
    expect(error.what).toContain('//server/share/lfs');
    expect(error.why).toContain('lfs.url in .lfsconfig');
    expect(error.cure).toMatch(/lfs-depot trust \/\/server\/share\/lfs$/m);
  });

  test('quotes a location for the shell, so that a hostile one runs nothing', () => {
    expect(refusal('/srv/with space').cure).toMatch(/trust '\/srv\/with space'$/m);
    expect(refusal('/srv/$(rm -rf ~)').cure).toContain("'/srv/$(rm -rf ~)'");
    expect(refusal("/srv/`id`'; id; '!x").cure).toContain(`'/srv/\`id\`'\\''; id; '\\''!x'`);
    expect(shellWord('/srv/a&b', 'linux')).toBe("'/srv/a&b'");
    expect(shellWord('D:/my lfs', 'win32')).toBe('"D:/my lfs"');
  });
});
