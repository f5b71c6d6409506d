import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DepotError } from '../backends/errors.ts';
import { notStarted } from './git.ts';

/** Runs of git whose output may be longer than memory: of a whole history. */
export interface StreamOptions {
  cwd: string;
  env?: NodeJS.ProcessEnv | undefined;
  /** For git's stdin, one character for each byte, too. What it throws is thrown to who reads the output. */
  input?: AsyncIterable<string> | undefined;
}

/** Characters of stderr that are kept for a message. */
const MOST_WORDS = 4096;

/**
 * What git prints, as it prints it, one character for each byte (latin1): names of files need not be UTF-8. Who stops
 * reading ends git.
 * @throws DepotError `configuration` with git's own words, after the last output, when it fails.
 */
export async function* streamGit(args: string[], { cwd, env, input }: StreamOptions): AsyncGenerator<string> {
  // As in git.ts: the process's own folder is not named, since a name that is not UTF-8 would be another one.
  const folder = cwd === process.cwd() ? undefined : cwd;
  const child = spawn('git', args, { cwd: folder, env, windowsHide: true, stdio: ['pipe', 'pipe', 'pipe'] });
  let words = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (words.length < MOST_WORDS) words += text;
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', (error) => reject(notStarted(error)));
    child.on('close', resolve);
  });
  // Awaited below; until then nobody looks, and git may end before all of its input was written.
  ended.catch(() => {});
  let broken: unknown;
  child.stdin.setDefaultEncoding('latin1');
  const writing = pipeline(Readable.from(input ?? []), child.stdin).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE' || error.code === 'ERR_STREAM_PREMATURE_CLOSE') return;
    broken = error;
    child.kill();
  });
  try {
    for await (const text of child.stdout.setEncoding('latin1')) yield text as string;
    await writing;
    const status = await ended;
    if (broken) throw broken;
    if (status !== 0) throw failed(args, words, status);
  } finally {
    if (child.exitCode === null) child.kill();
  }
}

/** The lines of a text that comes in pieces, without their ends. */
export async function* linesOf(pieces: AsyncIterable<string>, end = '\n'): AsyncGenerator<string> {
  let rest = '';
  for await (const piece of pieces) {
    const lines = (rest + piece).split(end);
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
}

function failed([verb]: string[], words: string, status: number | null): DepotError {
  return new DepotError('configuration', {
    what: `cannot run git ${verb}`,
    why: words.trim() || `git ended with status ${status}`,
    cure: 'mend what git complains about, then try again',
  });
}
