import { execFileSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { configOf, readConfig } from '../../agent/config.ts';
import { urlSettings } from '../../agent/network/url-settings.ts';
import { spelledUrl } from './url-spellings.ts';

/** The value that counts, of settings given as pattern and value; '' for a key without a URL. */
function valueFor(url: string, ...given: [pattern: string, value: string][]): string | undefined {
  return urlSettings('http', url, configFrom(given)).get('proxy')?.value;
}

function configFrom(given: [pattern: string, value: string][]) {
  return configOf(
    given.map(([pattern, value]) => ({
      scope: 'global',
      key: pattern === '' ? 'http.proxy' : `http.${pattern}.proxy`,
      value,
    })),
  );
}

const ART = 'https://dav.example.com/lfs/art';

describe('a pattern applies to a URL', () => {
  test.each([
    ['https://dav.example.com', true],
    ['https://dav.example.com/', true],
    ['https://dav.example.com:443/lfs', true],
    ['HTTPS://DAV.Example.COM/lfs/art/', true],
    ['https://*.example.com', true],
    ['https://*.*.com/lfs', true],
    ['https://dav.example.com/./lfs/x/../%61rt', true],
    ['http://dav.example.com', false],
    ['https://example.com', false],
    ['https://*.com', false],
    ['https://dav.example.com:8443', false],
    ['https://dav.example.com/lf', false],
    ['https://dav.example.com/lfs/art/more', false],
    ['https://dav.example.com/LFS', false],
    ['https://alice@dav.example.com', false],
    ['https://dav.example.com/..', false],
    ['https://u%zz@dav.example.com', false],
    ['dav.example.com', false],
  ])('%s: %s', (pattern, applies) => {
    expect(valueFor(ART, [pattern, 'yes'])).toBe(applies ? 'yes' : undefined);
  });
});

test('a default port, and letters beyond ASCII, have several spellings', () => {
  expect(valueFor('http://dav.example.com/', ['http://dav.example.com:080', 'yes'])).toBe('yes');
  expect(valueFor('http://dav.example.com/', ['http://dav.example.com:443', 'yes'])).toBeUndefined();
  for (const path of ['/%C3%A9t%C3%A9', '/%c3%a9t%c3%a9/', '/été']) {
    expect(valueFor('https://dav.example.com/%C3%A9t%C3%A9', [`https://dav.example.com${path}`, 'yes'])).toBe('yes');
  }
});

describe('of several', () => {
  test('the longest host, then the longest path counts, wherever it stands', () => {
    const given: [string, string][] = [
      ['https://dav.example.com/lfs', 'path'],
      ['https://dav.example.com', 'host'],
      ['https://*.example.com/lfs/art', 'star'],
      ['', 'all'],
    ];
    expect(valueFor(ART, ...given)).toBe('path');
    expect(valueFor(ART, ...given.reverse())).toBe('path');
    expect(valueFor('https://www.example.com/lfs/art', ...given)).toBe('star');
    expect(valueFor('http://dav.example.com/lfs', ...given)).toBe('all');
  });

  test('the last of equals counts', () => {
    expect(valueFor(ART, ['https://dav.example.com', 'one'], ['https://dav.example.com/', 'two'])).toBe('two');
    expect(valueFor(ART, ['', 'one'], ['', 'two'])).toBe('two');
  });

  test('all that git would take are told, in order', () => {
    const host = 'https://dav.example.com';
    const config = configFrom([
      ['', 'all'],
      ['https://other.example.com', 'other'],
      [host, 'host'],
      ['', 'late'],
      [host, 'again'],
    ]);
    expect(
      urlSettings('http', ART, config)
        .all('proxy')
        .map(({ value }) => value),
    ).toEqual(['all', 'host', 'again']);
  });

  test('another section, and another name, is another setting', () => {
    const config = configOf([
      { scope: 'global', key: 'httpx.proxy', value: 'x' },
      { scope: 'global', key: 'lfs.proxy', value: 'x' },
      { scope: 'global', key: 'http.proxyx', value: 'x' },
      { scope: 'global', key: 'http.https://dav.example.com.sslverify', value: 'false' },
    ]);
    const settings = urlSettings('http', ART, config);
    expect(settings.get('proxy')).toBeUndefined();
    expect(settings.get('sslverify')?.key).toBe('http.https://dav.example.com.sslverify');
  });
});

describe('as the real git has it', () => {
  let folder: string;
  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'depot-url-settings-')));
    for (const name of Object.keys(process.env)) if (name.startsWith('GIT_')) vi.stubEnv(name, undefined);
    vi.stubEnv('GIT_CONFIG_GLOBAL', join(folder, 'config'));
    vi.stubEnv('GIT_CONFIG_NOSYSTEM', '1');
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });

  /** What git says counts for a URL; undefined for one that it refuses. */
  function fromGit(url: string): string | undefined {
    try {
      const args = ['config', '--get-urlmatch', 'http', url];
      return execFileSync('git', args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    } catch (error) {
      return (error as { status: number }).status === 1 ? '' : undefined;
    }
  }

  async function assertSame(patterns: string[], urls: string[]): Promise<number> {
    const sections = patterns.map((pattern, index) => {
      const header = pattern === '' ? '[http]' : `[http "${pattern.replace(/["\\]/g, '\\$&')}"]`;
      return `${header}\n\tproxy = p${index}\n${index % 3 === 0 ? `\tproxyAuthMethod = m${index}\n` : ''}`;
    });
    writeFileSync(join(folder, 'config'), sections.join(''));
    const config = await readConfig(folder, undefined);
    let compared = 0;
    for (const url of urls) {
      const theirs = fromGit(url);
      if (theirs === undefined) continue;
      const settings = urlSettings('http', url, config);
      const ours = ['proxy', 'proxyauthmethod']
        .map((name) => settings.get(name))
        .filter((setting) => setting !== undefined)
        .map(({ key, value }) => `http.${key.slice(key.lastIndexOf('.') + 1)} ${value}\n`);
      expect(ours.join(''), `${url} among ${JSON.stringify(patterns)}`).toBe(theirs);
      compared++;
    }
    return compared;
  }

  /** Locations are http(s), and have neither `?` nor `#`. */
  const asked = spelledUrl.filter((each) => /^https?:[^?#]*$/i.test(each));

  test('for a table of spellings', async () => {
    const paths = [
      '',
      '/',
      '/a',
      '/a/',
      '/a/b',
      '/a//b',
      '//a',
      '/a/../a',
      '/a/.',
      '/.',
      '/..',
      '/%61',
      '/A',
      '/a?q',
      '/a#f',
    ];
    const hosts = [
      'ex.com',
      'EX.com',
      'ex.com:443',
      'ex.com:0443',
      'ex.com:',
      'ex.com:80',
      'ex.com.',
      '*.com',
      '*',
      'u@ex.com',
    ];
    const patterns = hosts.flatMap((name) => paths.map((each) => `https://${name}${each}`));
    for (const pattern of patterns)
      await assertSame([pattern], ['https://ex.com/a/b', 'https://u@ex.com/a', 'https://ex.com']);
  });

  /**
   * Git 2.39 (urlmatch.c) keeps a pointer into a buffer that escapes make grow: what it then makes of `..` is decided by where
   * the buffer happens to lie.
   */
  const isFirm = (url: string): boolean => !(/[^!-~]/.test(url) && /(\.|%2e){2}/i.test(url));

  test('for random ones', async () => {
    let compared = 0;
    const spelled = spelledUrl.filter(isFirm);
    const some = fc.array(fc.oneof({ arbitrary: spelled, weight: 9 }, { arbitrary: fc.constant(''), weight: 1 }), {
      minLength: 1,
      maxLength: 30,
    });
    const property = fc.asyncProperty(
      some,
      fc.array(asked.filter(isFirm), { minLength: 1, maxLength: 6 }),
      async (patterns, urls) => {
        compared += await assertSame(patterns, urls);
      },
    );
    await fc.assert(property, { numRuns: 250 });
    expect(compared).toBeGreaterThan(300);
  });
});
