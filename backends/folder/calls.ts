import * as fs from 'node:fs';
import { promisify } from 'node:util';

/**
 * The system calls that touch a store's names. On a local disk they are made directly: an asynchronous open, fsync, link
 * and unlink cost five times as much as the bytes of a small object. On everything that may be a network they are waited
 * for, because a share that goes away hangs whoever calls it, and an agent whose event loop hangs notices neither Ctrl-C
 * nor the end of git-lfs. Both have one signature, so there is one code path above them: `await calls.link(…)`.
 */
export interface Calls {
  /** Whether they return only when they are done. */
  readonly direct: boolean;
  open(path: string, flags: string | number): Either<number>;
  close(fd: number): Either<void>;
  fsync(fd: number): Either<void>;
  fstat(fd: number): Either<fs.Stats>;
  /** Undefined when nothing is there. */
  stat(path: string): Either<fs.BigIntStats | undefined>;
  link(from: string, to: string): Either<void>;
  rename(from: string, to: string): Either<void>;
  unlink(path: string): Either<void>;
  mkdir(path: string, mode: number | undefined): Either<void>;
  rmdir(path: string): Either<void>;
  chmod(path: string, mode: number): Either<void>;
  chown(path: string, uid: number, gid: number): Either<void>;
  fchmod(fd: number, mode: number): Either<void>;
  fchown(fd: number, uid: number, gid: number): Either<void>;
}

type Either<T> = T | Promise<T>;

export const DIRECT: Calls = {
  direct: true,
  open: (path, flags) => fs.openSync(path, flags),
  close: (fd) => fs.closeSync(fd),
  fsync: (fd) => fs.fsyncSync(fd),
  fstat: (fd) => fs.fstatSync(fd),
  stat: (path) => fs.statSync(path, { bigint: true, throwIfNoEntry: false }),
  link: (from, to) => fs.linkSync(from, to),
  rename: (from, to) => fs.renameSync(from, to),
  unlink: (path) => fs.unlinkSync(path),
  mkdir: (path, mode) => void fs.mkdirSync(path, mode),
  rmdir: (path) => fs.rmdirSync(path),
  chmod: (path, mode) => fs.chmodSync(path, mode),
  chown: (path, uid, gid) => fs.chownSync(path, uid, gid),
  fchmod: (fd, mode) => fs.fchmodSync(fd, mode),
  fchown: (fd, uid, gid) => fs.fchownSync(fd, uid, gid),
};

export const WAITING: Calls = {
  direct: false,
  open: promisify(fs.open) as Calls['open'],
  close: promisify(fs.close),
  fsync: promisify(fs.fsync),
  fstat: (fd) => promisify(fs.fstat)(fd),
  stat: (path) =>
    new Promise((resolve, reject) => {
      fs.stat(path, { bigint: true }, (error, stats) => {
        if (!error) resolve(stats);
        else if (error.code === 'ENOENT' || error.code === 'ENOTDIR') resolve(undefined);
        else reject(error);
      });
    }),
  link: promisify(fs.link),
  rename: promisify(fs.rename),
  unlink: promisify(fs.unlink),
  mkdir: async (path, mode) => void (await promisify(fs.mkdir)(path, mode)),
  rmdir: promisify(fs.rmdir) as Calls['rmdir'],
  chmod: promisify(fs.chmod),
  chown: promisify(fs.chown),
  fchmod: promisify(fs.fchmod),
  fchown: promisify(fs.fchown),
};

/**
 * On a disk an fsync takes several times as long as all the rest of a small object. It is waited for, so that those of several
 * objects run side by side, and the filesystem writes its journal once for them all.
 */
export const ON_DISK: Calls = { ...DIRECT, fsync: WAITING.fsync };

/** The calls that fit what `root` lies on. What cannot be told counts as a network. */
export async function callsFor(root: string, platform: NodeJS.Platform): Promise<Calls> {
  if (platform !== 'linux') return WAITING;
  try {
    const { type } = await promisify(fs.statfs as (path: string, done: Done) => void)(root);
    if (IN_MEMORY.has(type)) return DIRECT;
    return ON_DISKS.has(type) ? ON_DISK : WAITING;
  } catch {
    return WAITING;
  }
}

type Done = (error: NodeJS.ErrnoException | null, stats: fs.StatsFs) => void;

/** `f_type` of statfs(2): tmpfs, ramfs. */
const IN_MEMORY = new Set([0x01021994, 0x858458f6]);

/** ext, XFS, Btrfs, ZFS, F2FS, overlay, JFS, vfat, exFAT, NTFS (two drivers). */
const ON_DISKS = new Set([
  0xef53, 0x58465342, 0x9123683e, 0x2fc12fc1, 0xf2f52010, 0x794c7630, 0x3153464a, 0x4d44, 0x2011bab0, 0x5346544e,
  0x7366746e,
]);
