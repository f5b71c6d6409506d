import { DepotError } from '../backends/errors.ts';
import { runGit } from './git.ts';
import { linesOf, streamGit } from './git-stream.ts';
import { type Oid, parseOid } from './oid.ts';

/** Which LFS objects a history needs, as its pointer files say. */
export interface Pointers {
  /** Each object once, with one path that it has or had; those of no bytes are left out, since git-lfs never stores them. */
  objects: Map<Oid, Pointer>;
  /** The same, by the id of git's blob. */
  blobs: Map<string, Pointer>;
  /** Files that are not in this clone (a partial one): nothing can be said of them. */
  unseen: number;
}

export interface Pointer {
  oid: Oid;
  /** Bytes of the object. */
  size: number;
  path: string;
}

/** As git-lfs: what is as long or longer is no pointer. */
const CUTOFF = 1024;

/**
 * Looks at everything that can be reached from the commits, as far as it is in this clone: nothing is fetched. Memory grows with
 * the number of pointers only.
 * @param commits their ids, or those of tags.
 */
export async function pointersIn(cwd: string, commits: string[], onObject?: () => void): Promise<Pointers> {
  const found: Pointers = { objects: new Map(), blobs: new Map(), unseen: 0 };
  if (commits.length === 0) return found;
  const env = withoutFetching();

  /** `<id> <path>`, also of the commits and folders; `?<id>` for what is not here. */
  async function* listed() {
    const options = ['--objects', '--missing=print', '--stdin'];
    const input = (async function* () {
      for (const commit of commits) yield `${commit}\n`;
    })();
    for await (const line of linesOf(streamGit(['rev-list', ...options], { cwd, env, input }))) {
      if (line.startsWith('?')) found.unseen++;
      // Commits have no path, not even an empty one.
      else if (line.includes(' ')) yield `${line}\n`;
    }
  }

  async function* small() {
    const format = '--batch-check=%(objecttype) %(objectsize) %(objectname) %(rest)';
    for await (const line of linesOf(streamGit(['cat-file', '--buffer', format], { cwd, env, input: listed() }))) {
      onObject?.();
      const [, size, idAndPath] = /^blob (\d+) (.*)$/s.exec(line) ?? [];
      if (idAndPath !== undefined && Number(size) < CUTOFF) yield `${idAndPath}\n`;
    }
  }

  const format = '--batch=%(objectname) %(objectsize) %(rest)';
  const printed = streamGit(['cat-file', '--buffer', format], { cwd, env, input: small() });
  for await (const { blob, path, content } of filesIn(printed)) {
    const pointer = parsePointer(content);
    if (!pointer || pointer.size === 0) continue;
    const known = found.objects.get(pointer.oid);
    const entry = known?.size === pointer.size ? known : { ...pointer, path: fromBytes(path) };
    if (!known) found.objects.set(entry.oid, entry);
    found.blobs.set(blob, entry);
  }
  return found;
}

/**
 * The paths of a commit's tree whose blob is one of those.
 * @throws DepotError `configuration` where the tree is not in this clone as a whole.
 */
export async function* pathsIn(cwd: string, tree: string, blobs: Pointers['blobs']): AsyncGenerator<Pointer> {
  const printed = streamGit(['ls-tree', '-r', '-z', '--full-tree', tree], { cwd, env: withoutFetching() });
  for await (const line of linesOf(printed, '\0')) {
    const [, blob = '', path = ''] = /^\d+ blob ([0-9a-f]+)\t(.*)$/s.exec(line) ?? [];
    const pointer = blobs.get(blob);
    if (pointer) yield { ...pointer, path: fromBytes(path) };
  }
}

/**
 * The id of the commit that a name means.
 * @throws DepotError `configuration` for one that git does not know.
 */
export async function commitOf(cwd: string, name: string): Promise<string> {
  const found = await knownCommit(cwd, name);
  if (found !== undefined) return found;
  throw new DepotError('configuration', {
    what: `cannot look at ${name}`,
    why: 'git knows no branch, tag or commit of that name here',
    cure: 'see which there are: git branch --all, git tag',
  });
}

/** Undefined for a name that git does not know, like HEAD where nothing was committed yet. */
export async function knownCommit(cwd: string, name: string): Promise<string | undefined> {
  // It would be an option.
  if (name.startsWith('-')) return undefined;
  const args = ['rev-parse', '--verify', '--quiet', `${name}^{commit}`];
  const { status, stdout } = await runGit(args, { cwd, env: withoutFetching() });
  return status === 0 ? stdout.trim() : undefined;
}

/** Blobs that a partial clone left out are not worth a download each. Older gits than 2.39.4 do not know the variable. */
function withoutFetching(): NodeJS.ProcessEnv {
  return { ...process.env, GIT_NO_LAZY_FETCH: '1', LC_ALL: 'C' };
}

/** What `cat-file --batch` prints: a line, the bytes, and an end of line. */
async function* filesIn(printed: AsyncIterable<string>) {
  let rest = '';
  for await (const piece of printed) {
    rest += piece;
    for (;;) {
      const end = rest.indexOf('\n');
      const [, blob = '', size, path = ''] = /^([0-9a-f]+) (\d+) (.*)$/s.exec(rest.slice(0, Math.max(end, 0))) ?? [];
      const length = size === undefined ? 0 : Number(size) + 1;
      if (end < 0 || rest.length < end + 1 + length) break;
      // Without a size it says that the object is missing.
      if (size !== undefined) yield { blob, path, content: rest.slice(end + 1, end + length) };
      rest = rest.slice(end + 1 + length);
    }
  }
}

const VERSIONS = ['https://git-lfs.github.com/spec/v1', 'https://hawser.github.com/spec/v1', 'http://git-media.io/v/2'];
const KEYS = ['version', 'oid', 'size'] as const;

/** Reads a pointer as git-lfs does (its lfs/pointer.go); undefined for any other file. */
export function parsePointer(text: string): Omit<Pointer, 'path'> | undefined {
  const values: string[] = [];
  for (const line of text.trim().split(/\r?\n/)) {
    if (line === '') continue;
    const [, key = '', value] = /^([^ ]*) (.*)$/s.exec(line) ?? [];
    if (value === undefined || values.length === KEYS.length) return undefined;
    if (key === KEYS[values.length]) values.push(value);
    else if (!/^ext-\d-\w+/.test(key)) return undefined;
  }
  const [version = '', oid = '', size = ''] = values;
  const parsed = oid.startsWith('sha256:') ? parseOid(oid.slice('sha256:'.length)) : undefined;
  if (!VERSIONS.includes(version) || !parsed || !/^\+?\d+$/.test(size)) return undefined;
  return { oid: parsed, size: Number(size) };
}

/** A name that git printed, from one character a byte to text. */
function fromBytes(path: string): string {
  return Buffer.from(path, 'latin1').toString('utf8');
}
