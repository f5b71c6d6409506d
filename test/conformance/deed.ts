import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';

/** What somebody else (as-user.ts) is to do at a store. */
export interface Deed {
  uid: number;
  /** The first is the user's own group. */
  groups: number[];
  umask: number;
  root: string;
  verb: 'create' | 'put' | 'remove' | 'read' | 'list';
  path: string;
  file: string;
  size: number;
  sha256: string;
  replace?: string | undefined;
}

/** What came of it: a value, or the kind and text of the failure. */
export interface Consequence {
  value?: unknown;
  kind?: string;
  message?: string;
  cure?: string;
}

export function actAs(
  who: Pick<Deed, 'uid' | 'groups' | 'umask'>,
  what: Partial<Deed> & Pick<Deed, 'root' | 'verb'>,
): Consequence {
  const deed: Deed = { path: '', file: '', size: 0, sha256: '', ...who, ...what };
  const program = resolve(import.meta.dirname, 'as-user.ts');
  const { status, stdout, stderr } = spawnSync(process.execPath, [program], {
    input: JSON.stringify(deed),
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`acting as ${deed.uid} ended with ${status}: ${stderr}`);
  return JSON.parse(stdout);
}
