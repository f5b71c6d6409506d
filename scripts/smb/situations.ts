import { writeFileSync } from 'node:fs';
import {
  type FileHandle,
  link,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rmdir,
  stat,
  statfs,
  unlink,
} from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { filesOnServer, mountShare, onHost, unmountShare } from '../../test/smb/share.ts';

/** What the system calls of a client say, and after which time, when something is the matter with a share: a table. */

type Call = () => Promise<unknown>;

/** What Node has no name for: it says `Unknown system error -78`, in `code` too. */
const ERRNO: Record<number, string> = { [-78]: 'EREMCHG (Node: `Unknown system error -78`)', [-112]: 'EHOSTDOWN' };

/** Milliseconds, after which a call is left to hang. */
const GIVE_UP = 50_000;

const BLOCK = Buffer.alloc(100_000, 'b');
let number = 0;
let title = '';
/** Node ends a process that forgets an open file. */
const kept: FileHandle[] = [];

/** Makes each call, all at once since each may take long, and tells what came of it. */
async function tell(heading: string, calls: Record<string, Call>): Promise<void> {
  if (heading !== title) console.log(`\n### ${heading}\n\n| call | outcome | after |\n|---|---|---|`);
  title = heading;
  await Promise.all(
    Object.entries(calls).map(async ([name, call]) => {
      const began = performance.now();
      const outcome = await Promise.race([call(), pause(GIVE_UP, 'nothing yet')]).then(
        (value) => (typeof value === 'string' || typeof value === 'number' ? String(value) : 'done'),
        (error) => ERRNO[error.errno] ?? error.code ?? String(error),
      );
      console.log(`| ${name} | ${outcome} | ${((performance.now() - began) / 1000).toFixed(1)} s |`);
    }),
  );
}

/** One after another, for those that depend on each other. */
async function tellInTurn(heading: string, calls: Record<string, Call>): Promise<void> {
  for (const [name, call] of Object.entries(calls)) await tell(heading, { [name]: call });
}

/** A fresh folder on a share with files in it, some of them open, and every call that the backend makes, to be made later. */
async function prepare(share: string): Promise<{ calls: Record<string, Call>; opened: Record<string, FileHandle> }> {
  const folder = join(share, `${process.argv[2]}-${number++}`);
  const inside = (name: string) => join(folder, name);
  await mkdir(folder);
  await mkdir(inside('empty'));
  for (const name of ['read', 'open', 'stat', 'link', 'rename', 'unlink']) await write(inside(name));
  const opened = {
    written: await open(inside('written'), 'wx'),
    synced: await open(inside('synced'), 'wx'),
    closed: await open(inside('closed'), 'wx'),
    read: await open(inside('read'), 'r'),
  };
  kept.push(...Object.values(opened));
  await opened.synced.write(BLOCK);
  await opened.closed.write(BLOCK);
  const calls: Record<string, Call> = {
    'write to an open file': () => opened.written.write(BLOCK),
    'fsync of an open file': () => opened.synced.sync(),
    'close of a written file': () => opened.closed.close(),
    'read from an open file': () => opened.read.read(Buffer.alloc(100), 0, 100, 0),
    'open, to read': () => using(open(inside('open'), 'r')),
    'open, a new file': () => using(open(inside('new'), 'wx')),
    'stat, a file': () => stat(inside('stat')),
    'stat, nothing there': () => stat(inside('absent')),
    link: () => link(inside('link'), inside('linked')),
    rename: () => rename(inside('rename'), inside('renamed')),
    unlink: () => unlink(inside('unlink')),
    mkdir: () => mkdir(inside('made')),
    rmdir: () => rmdir(inside('empty')),
    readdir: () => readdir(folder),
    statfs: () => statfs(folder),
  };
  return { calls, opened };
}

async function using(opening: Promise<FileHandle>): Promise<void> {
  await (await opening).close();
}

async function write(path: string, content: Buffer = BLOCK): Promise<void> {
  const file = await open(path, 'wx');
  await file.write(content);
  await file.sync();
  await file.close();
}

async function closeAll(opened: Record<string, FileHandle>): Promise<void> {
  for (const handle of Object.values(opened)) await handle.close().catch(() => {});
}

async function healthy(): Promise<void> {
  const share = mountShare('lfs/art');
  const { calls, opened } = await prepare(share);
  await tell('Nothing is the matter', calls);
  const folder = join(share, 'healthy');
  await mkdir(folder);
  await write(join(folder, 'one'));
  await write(join(folder, 'two'));
  await tellInTurn('Nothing is the matter: particulars', {
    'link, the name is taken': () => link(join(folder, 'one'), join(folder, 'two')),
    'rename over a file that nobody has open': () => rename(join(folder, 'one'), join(folder, 'two')),
    'fsync of a folder': async () => {
      const handle = await open(folder, 'r');
      await handle.sync().finally(() => handle.close());
    },
    'statfs, the type': async () => `0x${(await statfs(folder)).type.toString(16)}`,
    'stat, the name in other case': () => stat(join(folder, 'TWO')),
    'open, a new file whose name stands in other case': () => using(open(join(folder, 'TWO'), 'wx')),
    'open, a new file named "a:b"': () => using(open(join(folder, 'a:b'), 'wx')),
    'open, a new file named "con"': () => using(open(join(folder, 'con'), 'wx')),
    'open, a new file named "dot."': () => using(open(join(folder, 'dot.'), 'wx')),
    'readdir, the names': async () => (await readdir(folder)).join(' '),
  });
  const [one, other] = [join(folder, 'first name'), join(folder, 'second name')];
  const writer = await open(one, 'wx');
  await writer.write(BLOCK);
  await tellInTurn('A file has two names, and was opened by the first', {
    link: () => link(one, other),
    'open by the second name, while the first is open': () => using(open(other, 'r')),
    'stat of the second name': () => stat(other),
    'close of the first': () => writer.close(),
    'open by the second name, just after': () => using(open(other, 'r')),
    'unlink of the first name': () => unlink(one),
    'open by the second name, after that': () => using(open(other, 'r')),
  });
  await tellInTurn('Another client makes a file that was just looked for', {
    'stat, nothing there': () => stat(join(folder, 'news')),
    'the other makes it': () => onHost({ deed: 'write', path: `lfs/art/healthy/news`, content: 'x' }),
    stat: () => stat(join(folder, 'news')),
    'stat, until it is there': () => until(() => stat(join(folder, 'news'))),
  });
  await closeAll(opened);
  unmountShare(share);
}

async function until(call: Call): Promise<string> {
  const misses = new Map<string, number>();
  for (let tries = 0; tries < 100; tries++) {
    try {
      await call();
      return `done, after ${[...misses].map(([code, times]) => `${times} times ${code}`).join(', ') || 'no failure'}`;
    } catch (error) {
      const { code } = error as { code: string };
      misses.set(code, (misses.get(code) ?? 0) + 1);
      await pause(50);
    }
  }
  return `never: ${[...misses.keys()]}`;
}

async function crash(): Promise<void> {
  const share = mountShare('lfs/art');
  const first = await prepare(share);
  const second = await prepare(share);
  await onHost({ deed: 'signal', signal: 'SIGKILL' });
  await tell('The server died: at once', first.calls);
  await tell('The server died: a while later', second.calls);
  await onHost({ deed: 'start' });
  const { 'close of a written file': _, ...calls } = second.calls;
  await tell('The server is back: at once', calls);
  await tell('The server is back: again', (await prepare(share)).calls);
  await closeAll(first.opened);
  await closeAll(second.opened);
  unmountShare(share);

  const busy = mountShare('lfs/art');
  const wire = await open(join(busy, `${process.argv[2]}-${number++}`), 'wx');
  await wire.write(Buffer.alloc(32 * 1024 * 1024));
  await onHost({ deed: 'write', path: 'lfs/art/fetched', content: 'x'.repeat(32 * 1024 * 1024) });
  await onHost({ deed: 'signal', signal: 'SIGKILL', after: 250 });
  await tell('The server dies while it is working', {
    'fsync of 32 MiB': () => wire.sync(),
    'read of 32 MiB': () => readFile(join(busy, 'fetched')),
  });
  await tell('The server dies while it is working: afterwards', { 'fsync, again': () => wire.sync() });
  await wire.close().catch(() => {});
  await onHost({ deed: 'start' });
  unmountShare(busy);

  const brief = mountShare('lfs/art');
  const short = await prepare(brief);
  await onHost({ deed: 'signal', signal: 'SIGKILL' });
  await onHost({ deed: 'start' });
  await tell('The server died and came back before anybody asked it', short.calls);
  await closeAll(short.opened);
  unmountShare(brief);
}

async function hang(): Promise<void> {
  const share = mountShare('lfs/art', ['echo_interval=5']);
  const first = await prepare(share);
  const second = await prepare(share);
  await onHost({ deed: 'signal', signal: 'SIGSTOP' });
  await tell('The server hangs (echo_interval=5, by default 60)', first.calls);
  await tell('The server hangs: a while later', second.calls);
  await onHost({ deed: 'signal', signal: 'SIGCONT' });
  await tell('The server goes on', (await prepare(share)).calls);
  await closeAll(first.opened);
  await closeAll(second.opened);
  unmountShare(share);
}

async function closed(): Promise<void> {
  const share = mountShare('lfs/art');
  const { calls, opened } = await prepare(share);
  await onHost({ deed: 'close-share', share: 'lfs' });
  await tell('An administrator closed the share', calls);
  await tell('An administrator closed the share: later', {
    'stat, until it works': () => until(() => stat(share)),
    'mkdir, until it works': () => until(() => mkdir(join(share, `${process.argv[2]}-${number++}`))),
  });
  await closeAll(opened);
  unmountShare(share);
}

async function forbidden(): Promise<void> {
  const whole = mountShare('lfs');
  const folder = join(whole, 'forbidden');
  await mkdir(join(folder, 'empty'), { recursive: true });
  for (const name of ['one', 'other']) await write(join(folder, name));
  unmountShare(whole);
  for (const [heading, share, options] of [
    ['A share that is read-only on the server', 'readonly', []],
    ['A share where the user may read only', 'stranger', []],
    ['A share that is mounted read-only', 'lfs', ['ro']],
  ] as const) {
    const at = mountShare(share, [...options]);
    const inside = (name: string) => join(at, 'forbidden', name);
    await tellInTurn(heading, {
      'stat, a file': () => stat(inside('one')),
      'open, to read': () => using(open(inside('one'), 'r')),
      'open, a new file': () => using(open(inside('new'), 'wx')),
      'open, to write': () => using(open(inside('one'), 'r+')),
      link: () => link(inside('one'), inside('linked')),
      rename: () => rename(inside('one'), inside('renamed')),
      unlink: () => unlink(inside('one')),
      mkdir: () => mkdir(inside('made')),
      rmdir: () => rmdir(inside('empty')),
    });
    unmountShare(at);
  }
}

async function full(): Promise<void> {
  const share = mountShare('small');
  const file = await open(join(share, 'large'), 'wx');
  const megabyte = Buffer.alloc(1024 * 1024, 'm');
  const refused = false;
  const calls: Record<string, Call> = {
    'write of 12 MiB where 8 are': async () => {
      for (let done = 0; done < 12; done++) await file.write(megabyte);
    },
    fsync: () => file.sync(),
    'fsync, again': () => file.sync(),
    close: () => file.close(),
    'stat, the size': async () => (await stat(join(share, 'large'))).size,
    'open, a new file': () => using(open(join(share, 'new'), 'wx')),
    link: () => link(join(share, 'large'), join(share, 'linked')),
    mkdir: () => mkdir(join(share, 'made')),
    'unlink, the large file': () => unlink(join(share, 'large')),
  };
  await tellInTurn('A full disk', calls);
  const closed = await open(join(share, 'closed'), 'wx');
  await tellInTurn('A full disk, without fsync', {
    'write of 12 MiB where 8 are': async () => {
      for (let done = 0; done < 12 && !refused; done++) await closed.write(megabyte);
    },
    close: () => closed.close(),
    'stat, the size': async () => (await stat(join(share, 'closed'))).size,
  });
  unmountShare(share);
}

async function held(): Promise<void> {
  const share = mountShare('lfs');
  const folder = join(share, 'held');
  await mkdir(folder);
  for (const [heading, shared] of [
    ['Another client has the file open and shares nothing', []],
    ['Another client has the file open and shares reading', ['read']],
    ['Another client has the file open and shares all but deletion', ['read', 'write']],
    ['Another client has the file open and shares all', ['read', 'write', 'delete']],
  ] as const) {
    const deeds: Record<string, (file: string, other: string) => Promise<unknown>> = {
      stat: (file) => stat(file),
      'open, to read': (file) => using(open(file, 'r')),
      'open, to write': (file) => using(open(file, 'r+')),
      'link of it': (file, other) => unlink(other).then(() => link(file, other)),
      'link to its name': (file, other) => link(other, file),
      'rename of it': (file, other) => unlink(other).then(() => rename(file, other)),
      'rename over it': (file, other) => rename(other, file),
      unlink: (file) => unlink(file),
    };
    for (const [deed, act] of Object.entries(deeds)) {
      // Names of their own, since one deed may spoil the file for the next.
      const name = `${number++}`;
      const [file, other] = [join(folder, name, 'file'), join(folder, name, 'other')];
      await mkdir(join(folder, name));
      await write(file);
      await write(other, Buffer.from('other'));
      await onHost({ deed: 'hold', share: 'lfs', path: `held/${name}/file`, shared: [...shared] });
      await tell(heading, { [deed]: () => act(file, other) });
      const names = async () => `\`${(await readdir(join(folder, name))).sort().join('`, `')}\``;
      await pause(1100);
      const during = await names();
      await onHost({ deed: 'release' });
      await pause(1100);
      const after = await names();
      const there = await filesOnServer(`lfs/held/${name}`);
      const sizes = there.map(({ path, size }) => `\`${path}\` (${size})`).join(', ');
      if (!/stat|open/.test(deed))
        await tell(heading, { [`names there: ${during}; once closed ${after}; on the disk ${sizes}`]: async () => '' });
    }
  }
  unmountShare(share);
}

const ALL: Record<string, () => Promise<void>> = { healthy, forbidden, full, held, crash, hang, closed };
await ALL[process.argv[2] ?? '']!();
// A call that hangs would hold up every gentler end, for as long as the share is away.
writeFileSync('/mnt/work/status', '0\n');
process.kill(process.pid, 'SIGKILL');
