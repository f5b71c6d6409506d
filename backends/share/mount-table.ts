import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { type Location, parseLocation } from '../location.ts';

/** A network share, or a folder of one, and the folder of this computer in which it can be seen. */
export interface Mount {
  share: Extract<Location, { kind: 'share' }>;
  folder: string;
  /** The server's address, where it is known. */
  address?: string | undefined;
  /** Whose mount it is, a user's name or number, where it is known. */
  owner?: string | undefined;
  /** Folders below `folder` in which something else is mounted. */
  hidden?: string[];
}

/**
 * The shares that are mounted on this computer, by whatever means the kernel knows of. Touches none of them: a share that
 * hangs must not hang who only looks for another. Empty where there is no such table.
 */
export async function mountedShares(platform: NodeJS.Platform): Promise<Mount[]> {
  try {
    if (platform === 'darwin') return parseMountOutput((await promisify(execFile)('/sbin/mount')).stdout);
    return parseMountInfo(await readFile('/proc/self/mountinfo', 'utf8'));
  } catch {
    return [];
  }
}

/** What is used of a line of /proc/self/mountinfo; proc_pid_mountinfo(5) has all of it. */
interface Line {
  id: string;
  parent: string;
  /** What of the filesystem is seen at the mount point: `/`, or a folder of it. */
  root: string;
  point: string;
  type: string;
  source: string;
  address: string | undefined;
  owner: string | undefined;
}

/**
 * Filesystems whose source is a share: Linux's own client, and Windows' drives in WSL. Not FUSE, by which any user may claim
 * any source.
 */
const OF_SHARES = new Set(['cifs', 'smb3', 'smbfs', '9p', 'drvfs']);

/** Reads /proc/self/mountinfo. Only what can be seen counts, not what another mount covers. */
export function parseMountInfo(text: string): Mount[] {
  const lines = text
    .split('\n')
    .map(parseLine)
    .filter((line) => line !== undefined);
  const mounts: Mount[] = [];
  for (const line of lines) {
    const share = shareAt(line);
    if (!share || isCovered(line, lines)) continue;
    const hidden = lines.filter(({ parent }) => parent === line.id).map(({ point }) => point);
    mounts.push({ share, folder: line.point, address: line.address, owner: line.owner, hidden });
  }
  return mounts;
}

function parseLine(line: string): Line | undefined {
  const [mount = '', filesystem] = line.split(' - ');
  const [id, parent, , root, point] = mount.split(' ').map(unescapeOctal);
  const [type = '', source = '', options = ''] = filesystem?.split(' ').map(unescapeOctal) ?? [];
  if (!id || !parent || !root || !point || !source) return undefined;
  const option = (name: string) => new RegExp(`(?:^|,)${name}=([^,]+)`).exec(options)?.[1];
  return { id, parent, root, point, type, source, address: option('addr'), owner: option('uid') };
}

/** Blank, tab, newline and backslash are written as `\040`, `\011`, `\012` and `\134`. */
function unescapeOctal(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** Whether a later mount lies over this one: on its own mount point, or on a folder above it. */
function isCovered(line: Line, lines: readonly Line[]): boolean {
  const covered = lines.some(
    (other) =>
      other !== line &&
      ((other.parent === line.id && other.point === line.point) ||
        (other.parent === line.parent && other.point !== line.point && isBelow(line.point, other.point))),
  );
  if (covered) return true;
  const parent = lines.find(({ id }) => id === line.parent && id !== line.id);
  return parent !== undefined && parent.point !== line.point && isCovered(parent, lines);
}

/** Whether `path` lies in `folder`. */
export function isBelow(path: string, folder: string): boolean {
  return folder === '/' || path.startsWith(`${folder}/`);
}

/**
 * The kernel tells of a share both what was mounted (`//server/share/sub`) and which folder of it is seen: `/`, or for a
 * bind mount a folder below; where the server could not begin at `sub`, `/sub` once more.
 */
function shareAt({ type, source, root }: Line): Mount['share'] | undefined {
  const mounted = OF_SHARES.has(type) ? parseShare(source) : undefined;
  if (!mounted || root === '/') return mounted;
  const [share = '', ...below] = mounted.path.split('/');
  const prefix = below.length === 0 ? '' : `/${below.join('/')}`;
  const repeated = root === prefix || root.startsWith(`${prefix}/`);
  return { ...mounted, path: share + (repeated ? root : prefix + root) };
}

function parseShare(text: string): Mount['share'] | undefined {
  if (!/^(\/\/|\\\\)[^/\\]/.test(text)) return undefined;
  try {
    const location = parseLocation(text, { platform: 'linux', home: '/' });
    return location.kind === 'share' && location.path !== '' ? location : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Reads what macOS's mount(8) prints: `//user@server/share on /Volumes/share (smbfs, nodev, mounted by user)`. User and
 * share are percent-encoded there, the mount point is not.
 */
export function parseMountOutput(text: string): Mount[] {
  const mounts: Mount[] = [];
  for (const line of text.split('\n')) {
    const [, source, folder, options = ''] = /^(\/\/.+?) on (\/.*) \(smbfs(,[^()]*)?\)$/.exec(line) ?? [];
    if (source === undefined || folder === undefined) continue;
    const share = parseShare(decoded(source.replace(/^\/\/[^/]*@/, '//')));
    const [, owner] = /, mounted by ([^,]+)/.exec(options) ?? [];
    if (share) mounts.push({ share, folder, owner });
  }
  return mounts;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
