import { expect, test } from 'vitest';
import { configOf } from '../../agent/config.ts';
import { leftAlone } from '../../agent/left-alone.ts';
import { FILE_KEYS } from '../../agent/start.ts';

/** Who serves a remote when `keys` name the agent. */
function served(url: string, keys: string[], value = 'depot'): string {
  const settings = [
    { scope: 'local', key: 'remote.origin.url', value: url } as const,
    ...keys.map((key) => ({ scope: 'global', key, value }) as const),
  ];
  const config = configOf(settings);
  const query = { operation: 'upload', remote: 'origin', config, argument: undefined, environment: undefined } as const;
  return leftAlone(query)?.by ?? 'lfs-depot';
}

test.each([
  '/srv/repo.git',
  '../repo.git',
  'file:///srv/repo.git',
  'file://localhost/srv/repo.git',
  '//server/share/repo.git',
  'file://nas.example.com/share/repo.git',
  'C:/repo.git',
])('%s is served by git-lfs itself, and with --file-remotes by lfs-depot', (url) => {
  expect(served(url, [])).toBe('git-lfs');
  expect(served(url, ['lfs.depot::.standalonetransferagent'])).toBe('git-lfs');
  expect(served(url, FILE_KEYS)).toBe('lfs-depot');
  expect(served(url, ['lfs.standalonetransferagent'])).toBe('lfs-depot');
  expect(served(url, ['lfs.standalonetransferagent'], '')).toBe('git-lfs');
});

test.each(['https://git.example.com/a/b.git', 'git@git.example.com:a/b.git', 'ssh://git@git.example.com/a'])(
  '%s is left to its LFS server, whatever is said of folders',
  (url) => {
    expect(served(url, FILE_KEYS)).toBe('server');
    expect(served(url, ['lfs.standalonetransferagent'])).toBe('lfs-depot');
  },
);

test.each([
  ['https://git.example.com/', true],
  ['https://git.example.com/a', true],
  ['https://git.example.com/a/b.git', true],
  ['https://*.example.com/', true],
  ['https://git.example.com/a/b', false],
  ['https://git.example.com/c', false],
  ['https://*/', false],
  ['https://example.com/', false],
  ['http://git.example.com/', false],
])('a setting for %s counts for a repository there: %s', (pattern, counts) => {
  const key = `lfs.${pattern}.standalonetransferagent`;
  expect(served('https://git.example.com/a/b.git', [key])).toBe(counts ? 'lfs-depot' : 'server');
  // Another agent is none of our business.
  expect(served('https://git.example.com/a/b.git', [key], 'other')).toBe('server');
});

test('a location of lfs-depot is never left alone', () => {
  expect(served('depot::https://dav.example.com/lfs', [])).toBe('lfs-depot');
});
