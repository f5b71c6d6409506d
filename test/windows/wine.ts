import { execFileSync, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Result } from '../sandbox.ts';

/** The Wine that make-wine.sh makes, in which `node.exe` and the program for Windows run. */
const FOLDER = resolve(import.meta.dirname, '../../.tools/wine');

/** `\\srv\lfs`, as Linux sees it. */
export const SHARE = join(FOLDER, 'shares/lfs');

/** Why nothing of Windows can be run here; undefined when it can. */
export function whyNoWine(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'Wine is used on Linux on x64 only';
  return existsSync('/usr/lib/wine/wine64') ? undefined : 'there is no Wine; Debian has it in its package wine64';
}

/** Makes sure that Wine stands, which takes some ten seconds the first time. */
export function makeWine(): void {
  const stdio = ['ignore', 'ignore', 'inherit'] as const;
  mkdirSync(FOLDER, { recursive: true });
  execFileSync(join(import.meta.dirname, 'make-wine.sh'), [FOLDER], { stdio: [...stdio] });
}

/** Makes a folder of Linux a share of its own, `\\srv\<name>`, until the returned function is called. */
export function share(name: string, folder: string): () => void {
  const link = join(FOLDER, 'prefix/dosdevices/unc/srv', name);
  execFileSync('ln', ['-s', folder, link]);
  return () => rmSync(link);
}

/** What programs of Windows call a file of Linux. */
export function windowsPath(path: string): string {
  return `Z:${path.replaceAll('/', '\\')}`;
}

export interface WineOptions {
  /** Goes before Windows' own PATH, folders of Linux. */
  path?: string[];
  env?: Record<string, string>;
  cwd?: string;
  /** Ends the run, in milliseconds. */
  patience?: number;
}

/**
 * Runs a program of Windows to its end. It has no input, and plain files for its output: Wine hands pipes of Linux on in a
 * way that Node cannot use. Pipes between programs of Windows are as they should be.
 */
export async function runInWine(program: string, args: string[], options: WineOptions = {}): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'depot-wine-'));
  const [out, err] = ['out', 'err'].map((name) => openSync(join(folder, name), 'w'));
  try {
    const child = spawn(join(FOLDER, 'wine/lib/wine/wine64'), [program, ...args], {
      env: wineEnvironment(options),
      cwd: options.cwd,
      stdio: ['ignore', out!, err!],
      timeout: options.patience ?? 120_000,
      killSignal: 'SIGKILL',
    });
    const [status, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((done, fail) => {
      child.on('error', fail);
      child.on('exit', (...end) => done(end));
    });
    const [stdout, stderr] = ['out', 'err'].map((name) => readFileSync(join(folder, name), 'utf8'));
    return { status, signal, stdout: stdout!, stderr: stderr! };
  } finally {
    for (const fd of [out, err]) closeSync(fd!);
    rmSync(folder, { recursive: true });
  }
}

/** Nothing of the machine's own settings but the names of a shell. */
function wineEnvironment({ path = [], env }: WineOptions): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    LANG: 'C.UTF-8',
    HOME: join(FOLDER, 'home'),
    WINEPREFIX: join(FOLDER, 'prefix'),
    WINELOADER: join(FOLDER, 'wine/lib/wine/wine64'),
    WINESERVER: join(FOLDER, 'wine/lib/wine/wineserver64'),
    WINEDLLOVERRIDES: 'mscoree,mshtml=',
    WINEDEBUG: '-all',
    WINEPATH: path.map(windowsPath).join(';'),
    ...env,
  };
}
