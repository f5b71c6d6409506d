import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { formatLocation, parseLocation } from '../../backends/location.ts';
import { parseMountInfo, parseMountOutput } from '../../backends/share/mount-table.ts';
import { folderIn } from '../../backends/share/mounted.ts';

const FIXTURES = join(import.meta.dirname, 'fixtures/mountinfo');

function kernelSays(name: string): string {
  return readFileSync(join(FIXTURES, `${name}.mountinfo`), 'utf8');
}

function share(text: string) {
  const location = parseLocation(text, { platform: 'linux', home: '/' });
  if (location.kind !== 'share') throw new Error(`${text} is no share`);
  return location;
}

// Each text was written by a real kernel for real mounts of a real Samba (test/unit/fixtures/mountinfo).
test.each([
  ['plain', ['//files/lfs on /mnt/s']],
  ['address', ['//10.0.2.2/lfs on /mnt/s']],
  ['backslashes', ['//files/lfs on /mnt/s']],
  ['backslashes-prefix', ['//files/lfs/sub dir/deep on /mnt/s']],
  ['prefix-path', ['//files/lfs/sub dir on /mnt/s']],
  ['prefix-path-trailing-slash', ['//files/lfs/sub dir on /mnt/s']],
  ['prefix-path-bind', ['//files/lfs/sub dir on /mnt/s', '//files/lfs/sub dir/deep on /mnt/bound']],
  ['share-and-prefix-path', ['//files/lfs on /mnt/s', '//files/lfs/sub dir on /mnt/t']],
  ['trailing-slash', ['//files/lfs on /mnt/s']],
  ['spaces', ['//files/Team Data/My Objects on /mnt/My Share']],
  ['non-ascii', ['//files/lfs/Größe #1 on /mnt/Fächer #1']],
  ['tab', ['//files/lfs on /mnt/tab\tback\\slash']],
  ['upper-case', ['//FILES.Example.COM/LFS/Art on /mnt/S']],
  ['bind', ['//files/lfs on /mnt/s', '//files/lfs/sub dir on /mnt/bound']],
  ['over', ['//files/Team Data on /mnt/s']],
  ['hidden', []],
  ['two-shares', ['//files/lfs on /mnt/s', '//files/Team Data on /mnt/t']],
  ['one-share-twice', ['//files/lfs on /mnt/s', '//files/lfs on /mnt/t']],
  ['nested', ['//files/lfs on /mnt/s', '//files/Team Data on /mnt/s/art']],
  ['read-only', ['//files/lfs on /mnt/s']],
  ['vers-2.1', ['//files/lfs on /mnt/s']],
])('of the mounts %s, these can be seen', (name, expected) => {
  const found = parseMountInfo(kernelSays(name));
  expect(found.map((mount) => `${formatLocation(mount.share)} on ${mount.folder}`)).toEqual(expected);
});

test.each([
  ['plain', '//files/lfs', '/mnt/s'],
  ['plain', '//files/lfs/art', '/mnt/s/art'],
  ['plain', '//FILES/LFS/Art/x', '/mnt/s/Art/x'],
  ['plain', '//files.example.com/lfs/art', undefined],
  ['plain', '//files.local/lfs', '/mnt/s'],
  ['plain', '//10.0.2.2/lfs/art', '/mnt/s/art'],
  ['plain', '//files/other/art', undefined],
  ['plain', '//files2/lfs/art', undefined],
  ['plain', '//10.0.2.3/lfs/art', undefined],
  ['upper-case', '//files/lfs/art/x', undefined],
  ['upper-case', '//files.example.com/lfs/ART', '/mnt/S'],
  ['upper-case', '//files.example.com/lfs', undefined],
  ['upper-case', '//files.example.com/lfs/artist', undefined],
  ['share-and-prefix-path', '//files/lfs/sub dir/x', '/mnt/t/x'],
  ['share-and-prefix-path', '//files/lfs/other', '/mnt/s/other'],
  ['spaces', '//files/team data/my objects/x', '/mnt/My Share/x'],
  ['over', '//files/lfs/art', undefined],
  ['hidden', '//files/lfs/art', undefined],
  ['nested', '//files/lfs/art', undefined],
  ['nested', '//files/lfs/art/x', undefined],
  ['nested', '//files/lfs/artist', '/mnt/s/artist'],
  ['nested', '//files/team data/x', '/mnt/s/art/x'],
])('of the mounts %s, %s is seen at %s', (name, location, folder) => {
  expect(folderIn(parseMountInfo(kernelSays(name)), share(location))).toBe(folder);
});

test("of two mounts of one share, the one that is one's own is taken: the other has somebody else's rights", () => {
  const line = (id: number, user: string, uid: number) =>
    `${id} 21 0:23 / /home/${user}/art rw - cifs //nas/art rw,uid=${uid},forceuid,addr=10.0.2.2\n`;
  const mounts = parseMountInfo(line(25, 'alice', 1000) + line(26, 'bob', 1001));
  expect(folderIn(mounts, share('//nas/art/x'), ['1001', 'bob'])).toBe('/home/bob/art/x');
  expect(folderIn(mounts, share('//nas/art/x'), ['1000', 'alice'])).toBe('/home/alice/art/x');
  const volumes = parseMountOutput(
    '//alice@nas/art on /Volumes/art (smbfs, nodev, mounted by alice)\n//bob@nas/art on /Volumes/art-1 (smbfs, mounted by bob)\n',
  );
  expect(folderIn(volumes, share('//nas/art'), ['502', 'bob'])).toBe('/Volumes/art-1');
});

test('what any user can mount under any name (FUSE) is no share', () => {
  const line = '25 21 0:23 / /home/mallory/x rw - fuse.sshfs //nas/art/store rw,user_id=1002\n';
  expect(parseMountInfo(line)).toEqual([]);
});

test('Windows drives in WSL and other tables with a UNC name in them count too', () => {
  const wsl =
    '88 70 0:51 / /mnt/art rw,relatime - 9p \\134\\134files\\134lfs\\134art rw,dirsync,aname=drvfs;path=UNC\\files\\lfs\n';
  expect(parseMountInfo(wsl)).toMatchObject([{ share: { server: 'files', path: 'lfs/art' }, folder: '/mnt/art' }]);
});

test.each([
  '',
  '\n\n',
  'nonsense',
  '1 2 3',
  '1 2 0:1 / /mnt - cifs',
  '1 2 0:1 / /mnt rw - cifs //files rw',
  '1 2 0:1 / /mnt rw - cifs // rw',
])('a table that holds %j has no share', (text) => {
  expect(parseMountInfo(text)).toEqual([]);
  expect(parseMountOutput(text)).toEqual([]);
});

/** As macOS prints it: seen in bug reports of others, not on a Mac of ours. */
const MACOS = `/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)
map auto_home on /System/Volumes/Data/home (autofs, automounted, nobrowse)
//jane@nas._smb._tcp.local/Team%20Data on /Volumes/Team Data (smbfs, nodev, nosuid, mounted by jane)
//DOMAIN;jane@files.example.com/lfs on /Volumes/lfs (smbfs, nodev, nosuid, noowners, mounted by jane)
//guest:@10.0.2.2/public on /Volumes/public-1 (2) (smbfs, nodev)
//jane@other/afp on /Volumes/afp (afpfs, nodev, nosuid, mounted by jane)
`;

test.each([
  ['//nas/team data/art', '/Volumes/Team Data/art'],
  ['//nas.local/Team Data', '/Volumes/Team Data'],
  ['//files.example.com/lfs/art', '/Volumes/lfs/art'],
  ['//files/lfs/art', undefined],
  ['//10.0.2.2/public', '/Volumes/public-1 (2)'],
  ['//other/afp', undefined],
])('on macOS, %s is seen at %s', (location, folder) => {
  expect(folderIn(parseMountOutput(MACOS), share(location))).toBe(folder);
});
