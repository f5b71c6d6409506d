import { expect, test } from 'vitest';
import { configOf, type Setting } from '../../agent/config.ts';
import { mountsIn } from '../../agent/mounts.ts';
import { DepotError } from '../../backends/errors.ts';
import { parseLocation } from '../../backends/location.ts';
import { folderOf } from '../../backends/open.ts';

const AROUND = { platform: 'linux', home: '/home/me' } as const;

function mounts(values: string[], platform: NodeJS.Platform = 'linux') {
  const settings = values.map((value): Setting => ({ scope: 'global', key: 'depot.mount', value }));
  return mountsIn(configOf(settings), { ...AROUND, platform });
}

/** A server that no machine has mounted. */
const AWAY = '//no-such-server.invalid/share';

async function place(text: string, values: string[], platform: NodeJS.Platform): Promise<string> {
  const location = parseLocation(text, { ...AROUND, platform });
  if (location.kind === 'webdav') throw new Error('a location on the web is no folder');
  return folderOf(location, { platform, mounts: mounts(values, platform) }).catch((error) => {
    if (!(error instanceof DepotError)) throw error;
    return `${error.kind}: ${error.message}\n${error.cure}`;
  });
}

test.each<[NodeJS.Platform, string, string[], string]>([
  ['linux', '/srv/lfs', [], '/srv/lfs'],
  ['darwin', '/Volumes/lfs', [], '/Volumes/lfs'],
  ['win32', 'd:\\lfs', [], 'D:/lfs'],
  ['win32', '\\\\server\\share\\art', [], '//server/share/art'],
  ['win32', 'smb://server/share/art', ['//server/share=/mnt/s'], '//server/share/art'],
  ['linux', '\\\\server\\share\\art', ['//server/share=/mnt/s'], '/mnt/s/art'],
  ['darwin', 'smb://Server/Share/art', ['//server/share=/Volumes/s'], '/Volumes/s/art'],
  ['linux', 'file://server/share/art', ['\\\\server\\share=/mnt/s'], '/mnt/s/art'],
  ['linux', '//server/share/art', ['smb://SERVER/share/art=~/art'], '/home/me/art'],
  ['linux', '//server/share/art', ['//server/share=/mnt/old', '//server/share=/mnt/new'], '/mnt/new/art'],
  ['linux', '//server/share/art', ['//server/share/art=/mnt/art', '//server/share=/mnt/s'], '/mnt/art'],
  ['linux', '//server/a=b/art', ['//server/a=b=/mnt/a=/b'], '/mnt/a=/b/art'],
  ['linux', '//server/share', ['//server/share=/'], '/'],
  ['linux', '//server/share/art', ['//server/share=/'], '/art'],
])('on %s, %s with %j is %s', async (platform, location, values, folder) => {
  expect(await place(location, values, platform)).toBe(folder);
});

test.each<[NodeJS.Platform, string, RegExp]>([
  [
    'linux',
    `${AWAY}/art`,
    /^unreachable: .*not mounted.*\n.*sudo mount -t cifs \/\/no-such-server.invalid\/share .*depot\.mount '\/\/no-such-server.invalid\/share=/s,
  ],
  [
    'darwin',
    `${AWAY}/art`,
    /^unreachable: .*not mounted.*\n.*open smb:\/\/no-such-server.invalid\/share\n.*depot\.mount/s,
  ],
  [
    'linux',
    "//no-such-server.invalid/a b'$(id)/x",
    /sudo mount -t cifs '\/\/no-such-server.invalid\/a b'\\''\$\(id\)' /,
  ],
  ['linux', 'D:/lfs', /^configuration: .*drive letter/],
  ['darwin', 'D:/lfs', /^configuration: .*drive letter/],
  ['win32', '/srv/lfs', /^configuration: .*needs its drive letter/],
  ['win32', '//server', /^configuration: .*server without a share/],
  ['linux', '//server', /^configuration: .*server without a share/],
])('on %s, %s cannot be opened, and is told how it could', async (platform, location, told) => {
  expect(await place(location, [], platform)).toMatch(told);
});

test.each([
  '',
  '/mnt/s',
  '//server/share',
  '//server/share=',
  '//server/share=mnt',
  '//server=/mnt',
  '/srv=/mnt',
  'https://server/x=/mnt',
  '//server/share=//other/share',
])('depot.mount = %j is refused, whatever is opened, with how to write it', (value) => {
  expect(() => mounts(['//fine/share=/mnt/fine', value])).toThrowError(
    expect.objectContaining({
      kind: 'configuration',
      cure: expect.stringMatching(
        /depot\.mount '\/\/server\/share=\/mnt\/share'\n.*: git config --show-origin --get-all depot\.mount$/,
      ),
    }),
  );
});

test('another server of a similar name is not taken, neither from depot.mount nor from the table', async () => {
  const told = await place('//nas.munich.invalid/art/store', ['//nas/art=/mnt/berlin'], 'linux');
  expect(told).toMatch(/^unreachable: .*not mounted/);
  expect(await place('//nas/art/store', ['//nas.munich.invalid/art=/mnt/munich'], 'linux')).toMatch(/^unreachable: /);
});

test('on Windows depot.mount is not looked at: shares are opened by their names', () => {
  expect(mounts(['nonsense'], 'win32')).toEqual([]);
});
