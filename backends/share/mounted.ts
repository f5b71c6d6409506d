import { DepotError } from '../errors.ts';
import { covers, formatLocation } from '../location.ts';
import { shellQuote, shellWord } from '../shell-word.ts';
import { isBelow, type Mount, mountedShares } from './mount-table.ts';

type Share = Mount['share'];

/**
 * The folder in which a share can be seen on a system that does not open `//server/share` by itself: what the user says,
 * else what the table of mounts says. So one committed location serves Windows, macOS and Linux.
 * @param said the user's own list (`depot.mount`), which goes first.
 * @throws DepotError `unreachable`, with the command that mounts it here.
 */
export async function mountedFolder(location: Share, said: readonly Mount[], platform: NodeJS.Platform) {
  const found = folderIn(said, location) ?? folderIn(await mountedShares(platform), location);
  if (found !== undefined) return found;
  const name = formatLocation(location);
  throw new DepotError('unreachable', {
    what: `cannot open ${name}`,
    why: `${formatLocation(shareOf(location))} is not mounted on this computer`,
    cure: mountAdvice(location, platform),
  });
}

/** The folder for a location among these mounts; of several that hold it, the one that reaches deepest. */
export function folderIn(mounts: readonly Mount[], location: Share): string | undefined {
  const holding = mounts
    .filter(({ share }) => covers({ ...share, server: location.server }, location, 'linux'))
    .filter((mount) => !isHidden(folderBelow(mount, location), mount))
    .sort((one, other) => depth(other) - depth(one));
  const named = holding.find((mount) => isServer(mount, location.server));
  const likely = holding.filter(({ share }) => mayBeServer(share.server, location.server));
  const unclear = new Set(likely.map(({ share }) => plain(share.server))).size > 1;
  const best = named ?? (unclear ? undefined : likely[0]);
  return best && folderBelow(best, location);
}

function folderBelow(mount: Mount, location: Share): string {
  const top = mount.folder === '/' ? '' : mount.folder;
  return [top, ...location.path.split('/').slice(depth(mount))].join('/') || '/';
}

function isHidden(folder: string, { hidden = [] }: Mount): boolean {
  return hidden.some((other) => folder === other || isBelow(folder, other));
}

function depth({ share }: Mount): number {
  return share.path.split('/').length;
}

function isServer({ share, address }: Mount, named: string): boolean {
  return plain(share.server) === plain(named) || address === named;
}

/**
 * Whether a short and a long name may mean one server: `nas` and `nas.example.com`. The user mounted it, and the store's
 * marker tells whether it is the right one.
 */
function mayBeServer(mounted: string, named: string): boolean {
  const [one, other] = [plain(mounted), plain(named)];
  if (isAddress(one) || isAddress(other)) return false;
  return one.split('.')[0] === other || other.split('.')[0] === one;
}

/** Finder names a server that it found by itself `nas._smb._tcp.local`, DNS may end a name with a dot; a port is no name. */
function plain(server: string): string {
  return server
    .toLowerCase()
    .replace(/\.$/, '')
    .replace(/(\._smb\._tcp)?\.local$/, '');
}

function isAddress(server: string): boolean {
  return /^[\d.]+$|:/.test(server);
}

function shareOf(location: Share): Share {
  return { ...location, path: location.path.split('/')[0] ?? '' };
}

function mountAdvice(location: Share, platform: NodeJS.Platform): string {
  const share = formatLocation(shareOf(location));
  const said = (folder: string) => `git config --global --add depot.mount ${shellQuote(`${share}=${folder}`)}`;
  if (platform === 'darwin') {
    return (
      `mount it, then try again: open ${shellWord(`smb:${encodeURI(share)}`, platform)}\n` +
      `if it is mounted under another name of that server, say where: ${said('/Volumes/<name>')}`
    );
  }
  return (
    'mount it, then try again: ' +
    `sudo mount -t cifs ${shellWord(share, platform)} /mnt/<folder> -o username=<you>,uid=$(id -u),gid=$(id -g)\n` +
    `if it is mounted in another way, or under another name of that server, say where: ${said('/mnt/<folder>')}`
  );
}
