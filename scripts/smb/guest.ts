import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const PROJECT = resolve(import.meta.dirname, '../..');

/** The host's loopback, as slirp shows it to the guest. */
export const HOST = '10.0.2.2';

/** Where the guest sees the folder that it shares with the host. */
export const WORK = '/mnt/work';

/**
 * Boots a User-Mode Linux for one job, a line of shell that runs in the project's folder, and turns it off. The guest's root
 * is the host's, read-only; it can write in `work`, which it sees as /mnt/work, and in /mnt/local, in its memory.
 * What the job writes goes to this process's stdout as it comes. Gives the job's exit status.
 * @throws an Error when the guest does not get as far as the job, or is not done within `limit` seconds.
 */
export async function runInGuest(
  job: string,
  { work, environment = {}, limit }: { work: string; environment?: Record<string, string>; limit: number },
): Promise<number> {
  const log = join(work, 'guest.log');
  const status = join(work, 'status');
  rmSync(status, { force: true });
  writeFileSync(log, '');
  const variables = {
    PROJECT,
    PATH: `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin`,
    JOB: job,
    ...environment,
  };
  writeFileSync(join(work, 'environment'), Object.entries(variables).map(exported).join(''));

  const machine = spawn(
    'linux.uml',
    [
      'mem=1500M',
      'rootfstype=hostfs',
      'root=/dev/root',
      'ro',
      `init=${join(import.meta.dirname, 'guest-init.sh')}`,
      `depot_work=${work}`,
      'eth0=slirp,,slirp-fullbolt',
      'con=null',
      'con0=null,fd:1',
      'quiet',
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], detached: true, env: { ...process.env, TMPDIR: '/dev/shm' } },
  );
  const console: Buffer[] = [];
  for (const stream of [machine.stdout, machine.stderr]) stream.on('data', (chunk) => console.push(chunk));
  let told = 0;
  try {
    for (const began = performance.now(); ; await pause(300)) {
      const text = readFileSync(log);
      process.stdout.write(text.subarray(told));
      told = text.length;
      if (existsSync(status) && readFileSync(status, 'utf8').endsWith('\n'))
        return Number(readFileSync(status, 'utf8'));
      if (machine.exitCode !== null) throw new Error(`the guest ended before its job: ${Buffer.concat(console)}`);
      if (performance.now() - began > limit * 1000) throw new Error(`the guest was not done within ${limit} s`);
    }
  } finally {
    if (machine.exitCode === null) process.kill(-machine.pid!, 'SIGKILL');
  }
}

function exported([name, value]: [string, string]): string {
  return `export ${name}='${value.replaceAll("'", "'\\''")}'\n`;
}
