import { userInfo } from 'node:os';
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
  const own = folderIn(said, location);
  if (own !== undefined) return own;
  const mounts = await mountedShares(platform);
  const found = folderIn(mounts, location, me());
  if (found !== undefined) return found;
  const name = formatLocation(location);
  throw new DepotError('unreachable', {
    what: `cannot open ${name}`,
    why: `${formatLocation(shareOf(location))} is not mounted on this computer`,
    cure: mountAdvice(location, namesake(mounts, location), platform),
  });
}

/** As mounts name their owners: Linux by number, macOS by name. */
function me(): string[] {
  const { uid, username } = userInfo();
  return [String(uid), username];
}

/**
 * The folder for a location among these mounts; of several that hold it, the one that reaches deepest, and of those one's
 * own: a colleague's mount on the same computer works with the colleague's rights.
 */
export function folderIn(mounts: readonly Mount[], location: Share, owners: string[] = []): string | undefined {
  const isOwn = ({ owner }: Mount) => (owner !== undefined && owners.includes(owner) ? 1 : 0);
  const [best] = mounts
    .filter((mount) => isServer(mount, location.server) && holds(mount, location))
    .sort((one, other) => depth(other) - depth(one) || isOwn(other) - isOwn(one));
  return best && folderBelow(best, location);
}

/** Whether the mount shows the location, whatever its server is called. */
function holds(mount: Mount, location: Share): boolean {
  const { share } = mount;
  return (
    covers({ ...share, server: location.server }, location, 'linux') && !isHidden(folderBelow(mount, location), mount)
  );
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
 * A mount of the share by a long or short form of the server's name. It may be the same server, or that of another site with
 * another store of the same name: so it is offered to the user, and never taken.
 */
function namesake(mounts: readonly Mount[], location: Share): Mount | undefined {
  const first = (server: string) => plain(server).split('.')[0];
  return mounts.find((mount) => first(mount.share.server) === first(location.server) && holds(mount, location));
}

/** Finder names a server that it found by itself `nas._smb._tcp.local`, DNS may end a name with a dot; a port is no name. */
function plain(server: string): string {
  return server
    .toLowerCase()
    .replace(/\.$/, '')
    .replace(/(\._smb\._tcp)?\.local$/, '');
}

function shareOf(location: Share): Share {
  return { ...location, path: location.path.split('/')[0] ?? '' };
}

function mountAdvice(location: Share, other: Mount | undefined, platform: NodeJS.Platform): string {
  const share = formatLocation(shareOf(location));
  const say = (name: string, folder: string) =>
    `git config --global --add depot.mount ${shellQuote(`${name}=${folder}`)}`;
  if (other) {
    const seen = formatLocation(other.share);
    const same = formatLocation({ ...other.share, server: location.server });
    return `${seen} is mounted at ${other.folder}; if that is the same server, run: ${say(same, other.folder)}`;
  }
  const command =
    platform === 'darwin'
      ? `open ${shellWord(`smb:${encodeURI(share)}`, platform)}`
      : `sudo mount -t cifs ${shellWord(share, platform)} /mnt/<folder> -o username=<you>,uid=$(id -u),gid=$(id -g)`;
  const folder = platform === 'darwin' ? '/Volumes/<name>' : '/mnt/<folder>';
  return (
    `mount it, then try again: ${command}\n` +
    `if it is mounted in another way, or under another name of that server, say where: ${say(share, folder)}`
  );
}
