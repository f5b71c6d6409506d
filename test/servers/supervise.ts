import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';

const SUPERVISOR = resolve(import.meta.dirname, 'config/supervise.sh');

export interface Supervised {
  /** False as soon as the server has ended. */
  isRunning(): boolean;
  /** What the server wrote to stdout and stderr so far. */
  log(): string;
  /** Also the id of the session and process group in which everything runs that the server starts. */
  readonly pid: number;
  /** Ends the server as its own stop would; after 5 seconds with force. Fine when it has ended. */
  stop(): Promise<void>;
  /** Ends all its processes at once, as a power cut does. Fine when it has ended. */
  kill(): Promise<void>;
}

export interface Command {
  command: string;
  args: string[];
  cwd?: string;
  env?: NodeJS.ProcessEnv;
}

/** Starts a server that stays in the foreground. It ends with this process at the latest. */
export function supervise({ command, args, cwd, env }: Command): Supervised {
  const child: ChildProcess = spawn('sh', [SUPERVISOR, command, ...args], {
    detached: true, // A session of its own, so that the server's workers can be ended with it.
    stdio: ['pipe', 'pipe', 'pipe'],
    cwd,
    env: { ...process.env, ...env },
  });
  const chunks: string[] = [];
  const keep = (chunk: Buffer): void => {
    chunks.push(chunk.toString());
    if (chunks.length > 1000) chunks.shift();
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  child.stdin?.on('error', () => {});
  child.on('error', (error) => chunks.push(error.message));
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  return {
    isRunning,
    log: () => chunks.join(''),
    pid: child.pid ?? 0,
    async stop() {
      if (!isRunning()) return;
      const ended = once(child, 'exit');
      child.stdin?.end();
      await ended;
    },
    async kill() {
      if (!isRunning() || child.pid === undefined) return;
      const ended = once(child, 'exit');
      process.kill(-child.pid, 'SIGKILL');
      await ended;
    },
  };
}
