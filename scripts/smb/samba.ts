import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** What every share asks for. */
export const CREDENTIALS = { username: 'root', password: 'secret' };

/** A real smbd on port 445 of this network namespace's loopback. */
export interface Samba {
  /** Its settings file, for Samba's other programs. */
  readonly config: string;
  /** The folder that holds the shares' folders. */
  readonly shares: string;
  /** Fine when it runs. */
  start(): Promise<void>;
  /** To smbd and to the process that serves each client, at once: `SIGKILL` is a crash, `SIGSTOP` a server that hangs. */
  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): Promise<void>;
  /** Ends smbd with all that it does for others. Fine when it has ended. */
  stop(): Promise<void>;
  /** Unmounts what was mounted for it. */
  end(): void;
  /** As an administrator who ends everybody's use of a share. */
  closeShare(name: string): void;
  /** Opens a file of a share as another client, who denies to others what `shared` does not name. */
  hold(share: string, path: string, shared: Sharing[]): Promise<void>;
  /** Closes all that is held. */
  release(): Promise<void>;
}

export type Sharing = 'read' | 'write' | 'delete';

export function prepareSamba(folder: string): Samba {
  const shares = join(folder, 'shares');
  for (const name of ['private', 'lock', 'state', 'cache', 'run', 'ncalrpc']) mkdirSync(join(folder, name));
  for (const name of ['lfs/art', 'lfs/sub dir/deep', 'lfs/Größe #1', 'small', 'team/My Objects']) {
    mkdirSync(join(shares, name), { recursive: true });
  }
  // Strangers, too, must get as far as the folder where they may not write.
  chmodSync(folder, 0o755);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', join(shares, 'small')]);

  const config = join(folder, 'smb.conf');
  const template = readFileSync(join(import.meta.dirname, 'smb.conf'), 'utf8');
  writeFileSync(config, template.replaceAll('@FOLDER@', folder).replaceAll('@SHARES@', shares));
  const { username, password } = CREDENTIALS;
  execFileSync('smbpasswd', ['-c', config, '-s', '-a', username], {
    input: `${password}\n${password}\n`,
    stdio: ['pipe', 'ignore', 'ignore'],
  });

  let smbd: ChildProcess | undefined;
  const held: (() => Promise<void>)[] = [];
  const release = async (): Promise<void> => {
    for (const close of held.splice(0)) await close();
  };
  const signal: Samba['signal'] = async (name) => {
    if (!smbd?.pid) throw new Error('smbd does not run');
    process.kill(-smbd.pid, name);
    if (name === 'SIGKILL') await once(smbd, 'exit');
  };
  return {
    config,
    shares,
    async start() {
      if (smbd?.exitCode === null && smbd.signalCode === null) return;
      smbd = spawn('smbd', ['--foreground', '--no-process-group', '-s', config], { detached: true, stdio: 'ignore' });
      await listening(445);
    },
    signal,
    async stop() {
      await release();
      if (smbd?.exitCode === null && smbd.signalCode === null) await signal('SIGKILL');
    },
    end: () => void execFileSync('umount', [join(shares, 'small')]),
    closeShare: (name) => void execFileSync('smbcontrol', ['-s', config, 'smbd', 'close-share', name]),
    hold: async (share, path, shared) => void held.push(await hold([config, share, path, shared.join(',')])),
    release,
  };
}

async function hold(args: string[]): Promise<() => Promise<void>> {
  const { username, password } = CREDENTIALS;
  const holder = spawn('/usr/bin/python3', [join(import.meta.dirname, 'hold.py'), ...args, username, password], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const said = await Promise.race([once(holder.stdout, 'data'), once(holder.stderr, 'data')]);
  if (String(said[0]).trim() !== 'held') throw new Error(`cannot hold ${args.join(' ')}: ${said[0]}`);
  return async () => {
    holder.stdin.end();
    await once(holder, 'exit');
  };
}

async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const socket = connect(port, '127.0.0.1');
    const open = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (open) return;
    await pause(50);
  }
  throw new Error(`nobody listens on ${port}`);
}
