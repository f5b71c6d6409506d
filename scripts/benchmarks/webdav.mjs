import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Sandbox } from '../../test/sandbox.ts';
import { startApache } from '../../test/servers/apache.ts';
import { startLatencyProxy } from '../../test/servers/latency-proxy.ts';
import { PASSWORD, USER } from '../../test/servers/server.ts';
import { DEPOT, depot, doesNothing, givenAgent, NOTHING } from './agents.mjs';
import { lfsRuns } from './lfs-runs.mjs';
import { webdavLimits } from './limits.mjs';
import { contestant } from './measure.mjs';
import { cloneWith, fresh } from './objects.mjs';
import { rowsOf } from './table.mjs';
import { WORKLOADS } from './workloads.mjs';

/**
 * Push and fetch over a real Apache on this machine: our agent under the real git-lfs, and others that are given, `curl` in one
 * process, and `rclone copy --transfers 8`. The tools neither hash, nor publish in one step, nor start under git-lfs.
 */
export const webdav = {
  name: 'webdav',
  about:
    '`git lfs push` and `fetch` over Apache on this machine; curl and rclone move the same bytes, with latency eight files at once',
  rounds: 2,
  run,
};

const CURL = 'curl';
const RCLONE = 'rclone';

/** Milliseconds each way. */
const FAR = 20;

async function run({ rounds, say, agents, works }) {
  const rows = [];
  const apache = await startApache();
  try {
    for (const delay of [0, FAR]) {
      for (const workload of WORKLOADS.filter(({ work }) => !works || works.includes(work))) {
        // Of those that are large, a distance costs next to nothing.
        if (delay > 0 && workload.size * workload.count > 100e6) continue;
        rows.push(...(await measure({ apache, workload, delay, rounds: rounds * workload.repeat, say, agents })));
      }
    }
  } finally {
    await apache.stop();
  }
  return { rows, verdict: webdavLimits(rows) };
}

async function measure({ apache, workload, delay, rounds, say, agents }) {
  say(`preparing ${workload.work}, ${delay} ms each way`);
  const proxy = delay > 0 ? await startLatencyProxy(apache.url, delay) : undefined;
  const url = proxy?.url ?? apache.url;
  const box = new Sandbox();
  try {
    const { protocol, host } = new URL(url);
    box.write('home/.git-credentials', `${protocol}//${USER}:${PASSWORD}@${host.replace(':', '%3a')}\n`);
    await box.git('.', 'config', '--global', 'credential.helper', 'store');
    await box.depot('.', 'install');
    const local = await cloneWith(box, workload);
    await box.depot('clone', 'init', `${url}/store`);

    const given = box.path('given');
    const programs = {
      [DEPOT]: { settings: depot(`${url}/store`), objects: join(apache.root, 'store') },
      [NOTHING]: { settings: doesNothing(given) },
    };
    for (const agent of agents) {
      const name = `by-${agent.name}`;
      programs[agent.name] = {
        settings: givenAgent(agent, `${url}/${name}`),
        objects: join(apache.root, name),
        clear: () => folder(apache, name),
      };
    }
    const bytes = workload.count * workload.size;
    const tool = (cwd, command, args, before) => contestant({ box, cwd, command, args, bytes, before, isTool: true });
    const numbers = `[0-${workload.count - 1}]`;
    // One after another, 1000 requests would wait for most of the benchmark's time.
    const atOnce = delay > 0 ? ['--parallel', '--parallel-max', '8', '--no-progress-meter'] : [];
    const common = ['-sSf', ...atOnce, '--user', `${USER}:${PASSWORD}`];
    const curl = (cwd, args, before) => tool(cwd, 'curl', [...common, ...args], before);
    const obscured = execFileSync('rclone', ['obscure', PASSWORD], { encoding: 'utf8' }).trim();
    const rclone = (from, to, before) =>
      tool(
        '.',
        'rclone',
        [
          ...['copy', '--transfers', '8', '--config', '/dev/null', '--webdav-url', url, '--webdav-user', USER],
          ...['--webdav-pass', obscured, from, to],
        ],
        before,
      );
    const fetched = () => fresh(box.path('fetched'));
    fetched();

    const tools = {
      push: {
        [CURL]: curl('plain', ['-T', `${numbers}.bin`, `${url}/by-curl/`], () => folder(apache, 'by-curl')),
        [RCLONE]: rclone(box.path('plain'), ':webdav:by-rclone', () => folder(apache, 'by-rclone')),
      },
      fetch: {
        [CURL]: curl('fetched', [`${url}/by-curl/${numbers}.bin`, '-o', '#1.bin'], fetched),
        [RCLONE]: rclone(':webdav:by-curl', box.path('fetched'), fetched),
      },
    };
    const found = await lfsRuns({ box, programs, ...workload, local, given, tools, rounds, say });
    return rowsOf({ server: `Apache, ${delay} ms`, work: workload.work }, found, CURL);
  } finally {
    await proxy?.stop();
    box.remove();
    for (const name of readdirSync(apache.root)) rmSync(join(apache.root, name), { recursive: true });
  }
}

function folder(apache, name) {
  const path = join(apache.root, name);
  fresh(path);
  apache.adopt(path);
}
