import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { filesBelow, Sandbox } from '../../test/sandbox.ts';
import { startApache } from '../../test/servers/apache.ts';
import { startLatencyProxy } from '../../test/servers/latency-proxy.ts';
import { PASSWORD, USER } from '../../test/servers/server.ts';
import { interleave } from './interleave.mjs';

/**
 * Push and fetch over a real Apache on this machine: our agent under the real git-lfs, `curl` in one process, and
 * `rclone copy --transfers 8`. The others neither hash, nor publish in one step, nor start under git-lfs.
 */
export const webdav = {
  name: 'webdav',
  about: 'milliseconds over Apache on this machine; curl and rclone move the same bytes',
  rounds: 3,
  run,
};

const WORKLOADS = [
  { work: '1 x 1 GiB', count: 1, size: 1024 ** 3, delay: 0 },
  { work: '1000 x 10 KiB', count: 1000, size: 10 * 1024, delay: 0 },
  { work: '1000 x 10 KiB, 20 ms each way', count: 1000, size: 10 * 1024, delay: 20 },
];

const DEPOT = 'lfs-depot';
const CURL = 'curl';
const RCLONE = 'rclone --transfers 8';

async function run({ rounds, say }) {
  const rows = [];
  const apache = await startApache();
  try {
    for (const workload of WORKLOADS) rows.push(...(await measure(apache, workload, rounds, say)));
  } finally {
    await apache.stop();
  }
  return { rows, verdict: undefined };
}

async function measure(apache, { work, count, size, delay }, rounds, say) {
  say(`preparing ${work}`);
  const proxy = delay > 0 ? await startLatencyProxy(apache.url, delay) : undefined;
  const url = proxy?.url ?? apache.url;
  const box = new Sandbox();
  try {
    await prepare(box, url, count, size);
    const local = box.path('clone', '.git', 'lfs', 'objects');
    const store = join(apache.root, 'store');
    const plain = (name) => folder(apache, join(apache.root, name));
    const user = ['--user', `${USER}:${PASSWORD}`];
    const numbers = `[0-${count - 1}]`;
    const obscured = execFileSync('rclone', ['obscure', PASSWORD], { encoding: 'utf8' }).trim();
    const rclone = (from, to) =>
      timed(box, 'rclone', [
        ...['copy', '--transfers', '8', '--config', '/dev/null', '--webdav-url', url, '--webdav-user', USER],
        ...['--webdav-pass', obscured, from, to],
      ]);
    const times = {
      push: await interleave(
        {
          [DEPOT]: async () => {
            removeObjects(store);
            const elapsed = await timed(box, 'git', ['lfs', 'push', '--all', 'origin'], 'clone');
            expectCount(store, count);
            return elapsed;
          },
          [CURL]: () => {
            plain('by-curl');
            return timed(box, 'curl', ['-sSf', ...user, '-T', `${numbers}.bin`, `${url}/by-curl/`], 'clone');
          },
          [RCLONE]: () => {
            plain('by-rclone');
            return rclone(box.path('plain'), ':webdav:by-rclone');
          },
        },
        rounds,
        say,
      ),
      fetch: await interleave(
        {
          [DEPOT]: async () => {
            removeObjects(local);
            const elapsed = await timed(box, 'git', ['lfs', 'fetch', 'origin', 'HEAD'], 'clone');
            expectCount(local, count);
            return elapsed;
          },
          [CURL]: () => {
            fresh(box.path('fetched'));
            return timed(box, 'curl', ['-sSf', ...user, `${url}/by-curl/${numbers}.bin`, '-o', '#1.bin'], 'fetched');
          },
          [RCLONE]: () => {
            fresh(box.path('fetched'));
            return rclone(':webdav:by-curl', box.path('fetched'));
          },
        },
        rounds,
        say,
      ),
    };
    return Object.entries(times).flatMap(([way, found]) =>
      Object.entries(found).map(([by, { median, min }]) => ({
        work,
        way,
        by,
        median,
        min,
        'median to curl': median / found[CURL].median,
        'median to rclone': median / found[RCLONE].median,
      })),
    );
  } finally {
    await proxy?.stop();
    box.remove();
    for (const name of readdirSync(apache.root)) rmSync(join(apache.root, name), { recursive: true });
  }
}

/** A clone with the objects, and the same files in a plain folder, for rclone. */
async function prepare(box, url, count, size) {
  const { protocol, host } = new URL(url);
  box.write('home/.git-credentials', `${protocol}//${USER}:${PASSWORD}@${host.replace(':', '%3a')}\n`);
  await box.git('.', 'config', '--global', 'credential.helper', 'store');
  await box.depot('.', 'install');
  await box.git('.', 'init', '-q', '--bare', 'remote.git');
  await box.git('.', 'clone', '-q', 'remote.git', 'clone');
  await box.git('clone', 'lfs', 'track', '*.bin');
  await box.depot('clone', 'init', `${url}/store`);
  const block = Math.min(size, 64 * 1024 * 1024);
  for (let index = 0; index < count; index++) {
    const file = box.write(`clone/${index}.bin`, block);
    // Random enough: no part of the way compresses.
    for (let done = block; done < size; done += block)
      execFileSync('sh', ['-c', 'head -c "$1" "$2" >> "$2".more', 'sh', block, file]);
    if (existsSync(`${file}.more`)) execFileSync('sh', ['-c', 'cat "$1.more" >> "$1" && rm "$1.more"', 'sh', file]);
  }
  await box.git('clone', 'add', '.');
  await box.git('clone', 'commit', '-qm', 'objects');
  mkdirSync(box.path('plain'));
  execFileSync('sh', ['-c', 'ln *.bin ../plain/'], { cwd: box.path('clone') });
}

async function timed(box, command, args, cwd = '.') {
  // What the one before left to be written must not slow the next one down.
  await box.ok('sync', []);
  const start = performance.now();
  await box.ok(command, args, { cwd });
  return performance.now() - start;
}

function fresh(path) {
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path);
}

function folder(apache, path) {
  fresh(path);
  apache.adopt(path);
}

function removeObjects(path) {
  for (const name of existsSync(path) ? readdirSync(path) : []) {
    if (/^[0-9a-f]{2}$/.test(name)) rmSync(join(path, name), { recursive: true });
  }
}

function expectCount(path, count) {
  const found = filesBelow(path).filter((name) => /(^|\/)[0-9a-f]{64}$/.test(name)).length;
  if (found !== count) throw new Error(`${path} has ${found} objects, not ${count}`);
}
