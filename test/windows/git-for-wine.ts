import { spawn } from 'node:child_process';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { resolve } from 'node:path';
import { windowsGit } from './windows-programs.ts';

/**
 * A `git.exe` for programs under Wine (git.c): the real git, that of Linux, on the same files. Only what a path is called is
 * translated, so what git says of repositories and settings is its own. A git of Windows is tried by
 * scripts/test-windows.
 */
export interface GitForWine {
  /** The folder of git.exe, for the PATH. */
  folder: string;
  /** What git.exe has to find in its environment. */
  env: Record<string, string>;
  stop(): void;
}

export async function startGitForWine(): Promise<GitForWine> {
  const folder = windowsGit(resolve(import.meta.dirname, 'git.c'));
  const server = createServer({ allowHalfOpen: true }, serve);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return { folder, env: { GIT_FOR_WINE: String(port) }, stop: () => void server.close() };
}

function serve(socket: Socket): void {
  const received: Buffer[] = [];
  socket.on('data', (chunk) => received.push(Buffer.from(chunk)));
  socket.on('error', () => {}); // A git.exe that was killed.
  socket.on('end', () => answer(framesOf(Buffer.concat(received)), socket));
}

/** `c`: the current folder, `a`: an argument, `e`: a variable, `i`: some of the input. */
interface Frame {
  kind: string;
  bytes: Buffer;
}

function framesOf(received: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at < received.length; ) {
    const end = at + 5 + received.readUInt32LE(at + 1);
    frames.push({ kind: String.fromCharCode(received[at]!), bytes: received.subarray(at + 5, end) });
    at = end;
  }
  return frames;
}

function answer(frames: Frame[], socket: Socket): void {
  const texts = (wanted: string): string[] =>
    frames.filter(({ kind }) => kind === wanted).map(({ bytes }) => `${bytes}`);
  const args = texts('a');
  const send = (kind: string, content: string | Buffer): void => {
    const bytes = Buffer.from(content as string, 'latin1');
    const head = Buffer.from(`${kind}....`);
    head.writeUInt32LE(bytes.length, 1);
    socket.write(Buffer.concat([head, bytes]));
  };
  const cwd = linuxPath(texts('c')[0] ?? '');
  const child = spawn('git', args.map(linuxArgument), { cwd, env: linuxEnvironment(texts('e')) });
  const [out, err]: Buffer[][] = [[], []];
  child.stdout.on('data', (chunk) => out!.push(chunk));
  child.stderr.on('data', (chunk) => err!.push(chunk));
  child.stdin.on('error', () => {});
  child.stdin.end(Buffer.concat(frames.filter(({ kind }) => kind === 'i').map(({ bytes }) => bytes)));
  child.on('error', ({ message }) => err!.push(Buffer.from(`${message}\n`)));
  child.on('close', (status) => {
    send('o', windowsOutput(args, Buffer.concat(out!).toString('latin1')));
    send('r', Buffer.concat(err!));
    send('s', String(status ?? 128));
    socket.end();
  });
}

/** The paths in what git prints, as a git of Windows writes them. */
function windowsOutput([command]: string[], output: string): string {
  return command === 'rev-parse' ? output.replace(/^\//gm, 'Z:/') : output.replaceAll('file:/', 'file:Z:/');
}

function linuxPath(path: string): string {
  return /^z:/i.test(path) ? path.slice(2).replaceAll('\\', '/') : path;
}

/** Only what follows an option that takes a file: a value to be written is nobody's path. */
function linuxArgument(argument: string, index: number, all: string[]): string {
  return ['--file', '-C'].includes(all[index - 1] ?? '') ? linuxPath(argument) : argument;
}

/** The variables that git looks at. */
function linuxEnvironment(variables: string[]): NodeJS.ProcessEnv {
  const given = Object.fromEntries(
    variables.map((text) => [text.slice(0, text.indexOf('=', 1)), text.slice(text.indexOf('=', 1) + 1)]),
  );
  const env: NodeJS.ProcessEnv = { PATH: process.env.PATH, HOME: linuxPath(given.HOME ?? given.USERPROFILE ?? '') };
  for (const [name, value] of Object.entries(given)) {
    if (/^(GIT_(?!FOR_WINE)|LC_|LANG$)/.test(name)) env[name] = linuxPath(value);
  }
  return env;
}
