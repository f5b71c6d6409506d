import { type Oid, parseOid } from './oid.ts';

/**
 * Where an object lies below the objects folder of a store: `aa/bb/<oid>`. git-lfs, lfs-folderstore and git-lfs-webdav
 * use the same, so their stores are opened without moving a byte.
 */
export function objectPath(oid: Oid): string {
  return `${oid.slice(0, 2)}/${oid.slice(2, 4)}/${oid}`;
}

/** The object that a path of `objectPath`'s form names; undefined for any other file. */
export function oidAt(path: string): Oid | undefined {
  const oid = parseOid(path.slice(path.lastIndexOf('/') + 1));
  return oid && path === objectPath(oid) ? oid : undefined;
}
