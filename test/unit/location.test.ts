import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DepotError } from '../../backends/errors.ts';
import { formatLocation, type Location, parseLocation } from '../../backends/location.ts';

const PLATFORMS = ['linux', 'darwin', 'win32'] as const;

function read(text: string, platform: NodeJS.Platform = 'linux'): Location {
  return parseLocation(text, { platform, home: platform === 'win32' ? 'C:\\Users\\me' : '/home/me' });
}

function refusal(text: string, platform: NodeJS.Platform = 'linux'): DepotError {
  try {
    const location = read(text, platform);
    throw new Error(`'${text}' was read as ${JSON.stringify(location)}`);
  } catch (error) {
    if (error instanceof DepotError) return error;
    throw error;
  }
}

describe.each(PLATFORMS)('on %s', (platform) => {
  test.each([
    ['/srv/lfs', '/srv/lfs'],
    ['/', '/'],
    ['/srv//lfs/', '/srv/lfs'],
    ['/srv/./lfs/../art', '/srv/art'],
    ['/../../srv', '/srv'],
    ['/srv/with space/ünï/日本', '/srv/with space/ünï/日本'],
    ['/srv/100%25', '/srv/100%25'],
    ["/srv/it's", "/srv/it's"],
    ['D:/lfs', 'D:/lfs'],
    ['d:/lfs', 'D:/lfs'],
    ['D:\\lfs\\art', 'D:/lfs/art'],
    ['D:/', 'D:/'],
    ['D:\\..\\..\\lfs', 'D:/lfs'],
    ['\\\\?\\D:\\lfs', 'D:/lfs'],
    ['\\\\.\\D:\\lfs', 'D:/lfs'],
    ['//server/share/lfs', '//server/share/lfs'],
    ['\\\\server\\share\\lfs', '//server/share/lfs'],
    ['\\\\server\\share\\with space\\', '//server/share/with space'],
    ['//server', '//server'],
    ['//server/share/a/../b', '//server/share/b'],
    ['\\\\?\\UNC\\server\\share\\lfs', '//server/share/lfs'],
    ['//?/unc/server/share', '//server/share'],
    ['smb://server/share/lfs', '//server/share/lfs'],
    ['smb://server/share/with%20space', '//server/share/with space'],
    ['SMB://Server/Share/Art', '//Server/Share/Art'],
    ['smb:\\\\server\\share\\lfs', '//server/share/lfs'],
    ['\\\\server/share\\mixed/slashes', '//server/share/mixed/slashes'],
    ['\\/server/share', '//server/share'],
    ['\\\\server.example.com\\share$\\lfs', '//server.example.com/share$/lfs'],
    ['\\\\10.0.2.2\\share', '//10.0.2.2/share'],
    ['\\\\server\\share\\Größe\\日本', '//server/share/Größe/日本'],
    ['//server/share/100% & more', '//server/share/100% & more'],
    ['file://server/share/with%20space', '//server/share/with space'],
    ['file:////server/share/100%25', '//server/share/100%'],
    ['file:\\\\server\\share\\lfs', '//server/share/lfs'],
    ['//server/share/nullable/console/com10/lfs.d', '//server/share/nullable/console/com10/lfs.d'],
    ['file:///srv/lfs', '/srv/lfs'],
    ['file:/srv/lfs', '/srv/lfs'],
    ['FILE:///srv/lfs/', '/srv/lfs'],
    ['file://localhost/srv/lfs', '/srv/lfs'],
    ['file://LOCALHOST/srv/lfs', '/srv/lfs'],
    ['file:///srv/with%20space/%C3%BCn%C3%AF', '/srv/with space/ünï'],
    ['file:///srv/100%25', '/srv/100%'],
    ['file:///srv/%2e%2e/etc', '/etc'],
    ['file:///D:/lfs', 'D:/lfs'],
    ['file://localhost/d:/lfs', 'D:/lfs'],
    ['file://D:/lfs', 'D:/lfs'],
    ['file:///D:\\lfs', 'D:/lfs'],
    ['file://server/share/lfs', '//server/share/lfs'],
    ['file:////server/share/lfs', '//server/share/lfs'],
    ['file://///server/share/lfs', '//server/share/lfs'],
    ['https://dav.example.com/lfs/art', 'https://dav.example.com/lfs/art'],
    ['https://DAV.Example.com:443/lfs/', 'https://dav.example.com/lfs'],
    ['https://dav.example.com:8443/lfs', 'https://dav.example.com:8443/lfs'],
    ['http://dav.example.com/a/../b', 'http://dav.example.com/b'],
    ['https://dav.example.com/with space', 'https://dav.example.com/with%20space'],
    ['davs://dav.example.com/lfs', 'https://dav.example.com/lfs'],
    ['webdavs://dav.example.com/lfs', 'https://dav.example.com/lfs'],
    ['dav://dav.example.com/lfs', 'http://dav.example.com/lfs'],
    ['https://dav.example.com', 'https://dav.example.com'],
  ])('%s is %s', (text, canonical) => {
    expect(formatLocation(read(text, platform))).toBe(canonical);
    expect(formatLocation(read(`depot::${text}`, platform))).toBe(canonical);
  });

  test('the canonical spelling reads as itself', () => {
    const segment = fc.string({ unit: fc.constantFrom(..."aZ0 .-_%~@+ü日😀$'&()[]"), minLength: 1, maxLength: 8 });
    const root = fc.constantFrom('/', 'D:/', 'd:\\', '//server/', '\\\\server\\', 'https://h.example/', 'file:///');
    fc.assert(
      fc.property(root, fc.array(segment, { maxLength: 5 }), (start, segments) => {
        let once: Location;
        try {
          once = read(start + segments.join('/'), platform);
        } catch (error) {
          // A percent sign in a URL that escapes nothing.
          expect(error).toBeInstanceOf(DepotError);
          return;
        }
        expect(read(formatLocation(once), platform)).toEqual(once);
      }),
    );
  });

  test.each([
    ['', 'empty'],
    ['depot::', 'empty'],
    ['relative/path', 'absolute'],
    ['./lfs', 'absolute'],
    ['../lfs', 'absolute'],
    ['~other/lfs', 'absolute'],
    ['/srv/l\nfs', 'control'],
    ['/srv/l\0fs', 'control'],
    ['D:lfs', 'current folder'],
    ['D:', 'current folder'],
    ['file:lfs', 'absolute'],
    ['file:///srv/%00', 'escape'],
    ['file:///srv/100%', 'escape'],
    ['file:///srv/%FF', 'escape'],
    ['s3://bucket/lfs', "'s3:'"],
    ['sftp://server/lfs', "'sftp:'"],
    ['\\\\.\\COM1', 'device'],
    ['\\\\?\\GLOBALROOT\\Device', 'device'],
    ['//', 'no server'],
    ['///', 'no server'],
    ['//ser:ver/share', 'no server'],
    ['//ser\u200bver/share', 'no server'],
    ['//ser\u00adver/share', 'no server'],
    ['//server/share/lfs.', "'lfs.'"],
    ['//server/share/a /lfs', "'a '"],
    ['\\\\server\\share\\NUL', "'NUL'"],
    ['//server/share/con.backup/lfs', "'con.backup'"],
    ['D:/lfs/aux', "'aux'"],
    ['D:/COM1', "'COM1'"],
    ['file:///D:/lfs./x', "'lfs.'"],
    ['\\server\\share', 'absolute'],
    ['\\servershare', 'absolute'],
    ['https://', 'not a URL'],
    ['https://dav.example.com/lfs?x=1', "'?'"],
    ['https://dav.example.com/lfs#x', "'#'"],
  ])('%j is refused, with what is wrong and what to write', (text, reason) => {
    const error = refusal(text, platform);
    expect(error.kind).toBe('configuration');
    expect(error.why).toContain(reason);
    expect(error.cure).toMatch(/write|put a slash/);
  });
});

test('a server is opened by the name that is compared: no Kelvin sign passes for a k', () => {
  expect(formatLocation(read('//\u212aiosk/share', 'win32'))).toBe('//Kiosk/share');
});

test('a tilde is the home folder', () => {
  expect(read('~', 'linux')).toEqual({ kind: 'folder', path: '/home/me' });
  expect(read('~/lfs', 'darwin')).toEqual({ kind: 'folder', path: '/home/me/lfs' });
  expect(read('~/lfs', 'win32')).toEqual({ kind: 'folder', path: 'C:/Users/me/lfs' });
  expect(read('~\\lfs', 'win32')).toEqual({ kind: 'folder', path: 'C:/Users/me/lfs' });
  expect(refusal('~\\lfs', 'linux').why).toContain('absolute');
});

test('a backslash is a character of a name in a POSIX path', () => {
  expect(read('/srv/a\\b', 'linux')).toEqual({ kind: 'folder', path: '/srv/a\\b' });
});

test("'..' does not lead out of a network share, to another share or server", () => {
  for (const text of [
    '//server/share/../../evil/x',
    '\\\\server\\share\\..\\..\\evil\\x',
    'file://server/share/../../evil/x',
  ]) {
    const location = read(text, 'win32');
    expect(location).toMatchObject({ kind: 'share', server: 'server' });
  }
});

test.each([
  'https://user:secret@dav.example.com/lfs',
  'https://secret@dav.example.com/lfs',
  'davs://user:secret@dav.example.com/lfs',
  'depot::https://user:secret@dav.example.com/lfs?x',
  'https://user:sec@secret@dav.example.com/lfs',
  'https://user:secret@dav.example.com:notaport/lfs',
  'https://user:secret@/lfs',
  'https://user:secret@dav.example.com/l\tfs',
  'ftp://user:secret@server/lfs',
  'sftp://user:secret@server/lfs',
  'smb://user:secret@server/share',
  'file://user:secret@server/share',
  '//user:secret@server/share',
])('a password in %s is refused and never told', (text) => {
  const error = refusal(text);
  expect(error.kind).toBe('configuration');
  for (const told of [error.message, error.what, error.why, error.cure, String(error.stack)]) {
    expect(told).not.toContain('secret');
  }
});
