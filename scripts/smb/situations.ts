import { type FileHandle, link, mkdir, open, readdir, rename, rmdir, stat, statfs, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { mountShare, onHost, unmountShare } from '../../test/smb/share.ts';

/** What the system calls of a client say, and after which time, when something is the matter with a share: a table. */

type Call = () => Promise<unknown>;

const BLOCK = Buffer.alloc(100_000, 'b');
let number = 0;
let title = '';

/** Makes each call, all at once since each may take long, and tells what came of it. */
async function tell(heading: string, calls: Record<string, Call>): Promise<void> {
  if (heading !== title) console.log(`\n### ${heading}\n\n| call | outcome | after |\n|---|---|---|`);
  title = heading;
  await Promise.all(
    Object.entries(calls).map(async ([name, call]) => {
      const began = performance.now();
      const outcome = await call().then(
        (value) => (typeof value === 'string' || typeof value === 'number' ? String(value) : 'done'),
        (error) => error.code ?? String(error),
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
  const folder = join(share, `case-${number++}`);
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
  let misses = 0;
  for (; misses < 1000; misses++) {
    try {
      await call();
      break;
    } catch {
      await pause(50);
    }
  }
  return `there, after ${misses} misses`;
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
  await tell('An administrator closed the share: again', (await prepare(share)).calls);
  await closeAll(opened);
  unmountShare(share);
}

async function folderGone(): Promise<void> {
  const share = mountShare('Team Data', []);
  const { calls, opened } = await prepare(share);
  await onHost({ deed: 'rename', from: 'team', to: 'elsewhere' });
  await tell('The folder behind the share is gone', calls);
  await onHost({ deed: 'rename', from: 'elsewhere', to: 'team' });
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
    const name = `held-${number++}`;
    const inside = (end: string) => join(folder, `${name}${end}`);
    await write(inside(''));
    await write(inside('-new'));
    await onHost({ deed: 'hold', share: 'lfs', path: `held/${name}`, shared: [...shared] });
    await tellInTurn(heading, {
      stat: () => stat(inside('')),
      'open, to read': () => using(open(inside(''), 'r')),
      'open, to write': () => using(open(inside(''), 'r+')),
      'link, from it': () => link(inside(''), inside('-linked')),
      'link, its name is taken': () => link(inside('-new'), inside('')),
      'rename over it': () => rename(inside('-new'), inside('')),
      'stat, after that': () => stat(inside('')),
      'rename of it': () => rename(inside(''), inside('-renamed')),
      'unlink of it': () =>
        unlink(inside('')).catch((error) =>
          error.code === 'ENOENT' ? unlink(inside('-renamed')) : Promise.reject(error),
        ),
      readdir: async () => (await readdir(folder)).filter((found) => found.startsWith(name)).join(' '),
    });
    await onHost({ deed: 'release' });
    await tell(`${heading}`, {
      'readdir, when the other has closed it': async () =>
        (await readdir(folder)).filter((found) => found.startsWith(name)).join(' '),
    });
  }
  unmountShare(share);
}

const ALL = { healthy, forbidden, full, held, closed, folderGone, crash, hang };
const asked = process.argv.slice(2);
for (const [name, situation] of Object.entries(ALL)) {
  if (asked.length === 0 || asked.includes(name)) await situation();
}
