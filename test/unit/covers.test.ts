import { describe, expect, test } from 'vitest';
import { covers, parseLocation } from '../../backends/location.ts';

function covered(prefix: string, text: string, platform: NodeJS.Platform): boolean {
  const around = { platform, home: '/home/me' };
  return covers(parseLocation(prefix, around), parseLocation(text, around), platform);
}

describe.each(['linux', 'darwin', 'win32'] as const)('on %s', (platform) => {
  test.each([
    ['/srv/lfs', '/srv/lfs'],
    ['/srv/lfs', '/srv/lfs/art/x'],
    ['/srv/lfs/', '/srv/lfs'],
    ['/srv', 'file:///srv/lfs'],
    ['/', '/srv/lfs'],
    ['D:/lfs', 'd:\\lfs\\art'],
    ['D:/', 'D:/lfs'],
    ['//server/share', '\\\\server\\share\\lfs'],
    ['//server', '//server/share/lfs'],
    ['//Server/Share', '//server/SHARE/lfs'],
    ['file://server/share', 'smb://server/share/lfs'],
    ['https://h.example/lfs', 'https://H.EXAMPLE:443/lfs/art'],
    ['https://h.example', 'https://h.example/lfs'],
    ['/srv/lfs', '/srv/other/../lfs/art'],
  ])('%s covers %s', (prefix, text) => {
    expect(covered(prefix, text, platform)).toBe(true);
  });

  test.each([
    ['/srv/lfs', '/srv'],
    ['/srv/lfs', '/srv/lfs2'],
    ['/srv/lfs', '/srv/lf'],
    ['/srv/lfs', '/srv/lfs/../secret'],
    ['/srv/lfs', '/srv/lfs/../../etc'],
    ['/srv/lfs', '/srv/lfs/art/../../secret'],
    ['/srv/lfs', 'file:///srv/lfs/%2e%2e/secret'],
    ['/srv/lfs', 'file:///srv/lfs%2f..%2fsecret'],
    ['/srv/lfs', 'file:///srv/lfs/..%2Fsecret'],
    ['/srv/lfs', 'depot::/srv/lfs/../secret'],
    ['D:/lfs', 'D:/lfs/../secret'],
    ['D:/lfs', 'D:\\lfs\\..\\secret'],
    ['D:/lfs', 'D:/lfs\\..\\secret'],
    ['D:/lfs', 'file:///D:/lfs/..%5Csecret'],
    ['D:/lfs', 'E:/lfs'],
    ['//server/share/lfs', '//server/share/lfs/../secret'],
    ['//server/share/lfs', '//server/share/lfs/..\\other'],
    ['//evil/share', '//server/share/../../evil/share'],
    ['//server/share', '//server/share2'],
    ['//server/share', '//server.evil.example/share'],
    ['//server', '//serverx/share'],
    ['/server/share', '//server/share'],
    ['//server/share', '/server/share'],
    ['https://h.example/lfs', 'http://h.example/lfs'],
    ['https://h.example/lfs', 'https://h.example:8443/lfs'],
    ['https://h.example/lfs', 'https://h.example.evil.example/lfs'],
    ['https://h.example', 'https://evil.h.example/'],
    ['https://h.example/lfs', 'https://h.example/lfs2'],
    ['https://h.example/lfs', 'https://h.example/LFS'],
    ['https://h.example/lfs', 'https://h.example/lfs/../secret'],
    ['https://h.example/lfs', 'https://h.example/lfs/%2e%2e/secret'],
    ['https://h.example/lfs', 'https://h.example/lfs\\..\\secret'],
    ['/', 'https://h.example/'],
    ['//server', 'https://server/'],
  ])('%s does not cover %s', (prefix, text) => {
    expect(covered(prefix, text, platform)).toBe(false);
  });

  // Many servers decode an escaped slash before they look for '..': what a prefix allows must not depend on that.
  test.each([
    'https://h.example/lfs/..%2fsecret',
    'https://h.example/lfs/..%2F..%2Fsecret',
    'https://h.example/lfs/..%5csecret',
  ])('an escaped slash does not lead out of a prefix: %s', (text) => {
    let allowed = false;
    try {
      allowed = covered('https://h.example/lfs', text, platform);
    } catch {
      // Refused as a location: as good.
    }
    expect(allowed).toBe(false);
  });
});

test('names of folders are compared as the platform does', () => {
  expect(covered('/srv/LFS', '/srv/lfs/x', 'linux')).toBe(false);
  expect(covered('/Volumes/LFS', '/volumes/lfs/x', 'darwin')).toBe(true);
  expect(covered('D:/LFS', 'd:/lfs/x', 'win32')).toBe(true);
});

test('one letter in two normal forms is one name on macOS, and two on Linux', () => {
  expect(covered('/Volumes/\u00fc', '/Volumes/u\u0308/x', 'darwin')).toBe(true);
  expect(covered('/srv/\u00fc', '/srv/u\u0308/x', 'linux')).toBe(false);
});
