import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePorts } from './free-ports.ts';
import { type DavServer, PASSWORD, USER } from './server.ts';
import { type Command, supervise } from './supervise.ts';

/** Where a server that is about to be started has its things. */
export interface Place {
  /** For settings, logs, temp files: fresh, and writable for all. */
  folder: string;
  /** The folder that it is to serve, inside of `folder`, named `lfs`. */
  root: string;
  /** As many free ports as were asked for. */
  ports: number[];
}

export interface Recipe extends Command {
  /** The collection that is `root`. */
  url: string;
  /** Hands a path to the user that the server runs as; without it that is ours. */
  adopt?: (path: string) => void;
}

/**
 * Starts a server as `prepare` says, in a fresh folder, and waits until it serves a file that lies in its root, or
 * in `servedRoot` where it serves another folder.
 * @throws an Error with the server's own words when it does not get that far, on three different ports.
 */
export async function serve(
  name: string,
  portCount: number,
  prepare: (place: Place) => Recipe,
  servedRoot?: string,
): Promise<DavServer & Place> {
  for (let attempt = 1; ; attempt++) {
    // Servers give up their root rights and still must reach their files.
    const folder = realpathSync(mkdtempSync(join(tmpdir(), `depot-${name}-`)));
    const root = join(folder, 'lfs');
    mkdirSync(root);
    for (const path of [folder, root]) chmodSync(path, 0o777);
    const place: Place = { folder, root, ports: await freePorts(portCount) };
    const { url, adopt = () => {}, ...command } = prepare(place);
    adopt(root);
    let server = supervise(command);
    const isRunning = (): boolean => server.isRunning();
    const words = (): string => `${server.log()}${readIfThere(join(folder, 'error.log'))}`;
    const stop = async (): Promise<void> => {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    };
    const kill = (): Promise<void> => server.kill();
    const restart = async (): Promise<void> => {
      server = supervise(command);
      if (await serves(url, servedRoot ?? root, isRunning)) return;
      throw new Error(`${name} does not serve ${url} again: ${words()}`);
    };
    if (await serves(url, servedRoot ?? root, isRunning))
      return { name, url, session: server.pid, adopt, stop, kill, restart, ...place };
    const last = words();
    await stop();
    if (attempt === 3) throw new Error(`${name} does not serve ${url}: ${last}`);
  }
}

/** Waits until the file that it puts into `root` comes back from `url`; a stranger on the same port has no such file. */
async function serves(url: string, root: string, isRunning: () => boolean): Promise<boolean> {
  const proof = `ready-${randomBytes(8).toString('hex')}`;
  const file = join(root, proof);
  writeFileSync(file, proof);
  chmodSync(file, 0o644);
  const authorization = `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}`;
  try {
    for (const start = performance.now(); performance.now() - start < 20_000 && isRunning(); await pause(20)) {
      try {
        const answer = await fetch(`${url}/${proof}`, { headers: { authorization, connection: 'close' } });
        if ((await answer.text()) === proof) return true;
      } catch {
        // Not listening yet.
      }
    }
    return false;
  } finally {
    rmSync(file);
  }
}

function readIfThere(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}
