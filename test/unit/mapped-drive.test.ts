import { expect, test } from 'vitest';
import { shareBehind } from '../../agent/mapped-drive.ts';
import { formatLocation, parseLocation } from '../../backends/location.ts';

// A fake: drives as Windows tells of them (GetFinalPathNameByHandle, through fs.realpath.native). None is mapped under Wine.
const DRIVES: Record<string, string> = {
  'C:\\': 'C:\\',
  'S:\\': 'D:\\projects',
  'Y:\\': '\\\\nas\\team data\\lfs',
  'Z:\\': '\\\\Server\\Share',
};

function behind(text: string, platform: NodeJS.Platform = 'win32'): string | undefined {
  const around = { platform, home: 'C:\\Users\\me' };
  const found = shareBehind(parseLocation(text, around), around, (path) => {
    const real = DRIVES[path];
    if (real === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
    return real;
  });
  return found && formatLocation(found);
}

test.each([
  ['Z:/art', '//Server/Share/art'],
  ['z:\\art\\2026', '//Server/Share/art/2026'],
  ['Z:/', '//Server/Share'],
  ['Y:/art', '//nas/team data/lfs/art'],
  ['C:/lfs', undefined],
  ['S:/lfs', undefined],
  ['Q:/lfs', undefined],
  ['//server/share/art', undefined],
  ['https://dav.example.com/art', undefined],
])('behind %s is %s', (text, share) => {
  expect(behind(text)).toBe(share);
});

test('elsewhere there are no drives', () => {
  expect(behind('Z:/art', 'linux')).toBeUndefined();
});
