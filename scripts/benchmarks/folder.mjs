import { existsSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { Sandbox } from '../../test/sandbox.ts';
import { ADAPTER, DEPOT, depot, doesNothing, fileAdapter, givenAgent, NOTHING, PLAIN, plainNode } from './agents.mjs';
import { lfsRuns } from './lfs-runs.mjs';
import { BOTH, folderLimits } from './limits.mjs';
import { contestant } from './measure.mjs';
import { cloneWith, fresh } from './objects.mjs';
import { rowsOf } from './table.mjs';
import { WORKLOADS } from './workloads.mjs';

/** What it costs that objects survive a loss of power. In memory there is nothing to sync. */
const NOT_SYNCED = 'depot.fsync=false';
const SMALL = 1024 * 1024;

/**
 * Push and fetch with the real git-lfs: our agent, git-lfs's own file adapter, an agent that does nothing, and others that are
 * given; beside them `cp` and what hashes. Clone and store lie on different filesystems: on one, git-lfs's adapter makes links.
 */
export const folder = {
  name: 'folder',
  about: '`git lfs push` and `fetch`, clone and store on different filesystems',
  rounds: 3,
  run,
};

async function run({ rounds, say, agents, works }) {
  const [disk, memory] = [tmpdir(), '/dev/shm'];
  const places = [
    { store: disk, clone: memory, name: 'disk' },
    { store: memory, clone: disk, name: 'tmpfs' },
  ];
  if (!existsSync(memory) || statSync(memory).dev === statSync(disk).dev)
    places.splice(0, 2, { store: disk, clone: disk, name: 'disk, with the clone' });
  const rows = [];
  for (const place of places) {
    for (const workload of WORKLOADS.filter(({ work }) => !works || works.includes(work))) {
      const near = new Sandbox(place.clone);
      const far = new Sandbox(place.store);
      try {
        say(`preparing ${workload.work}, the store on ${place.name}`);
        rows.push(...(await measure({ near, far, place, workload, rounds: rounds * workload.repeat, say, agents })));
      } finally {
        near.remove();
        far.remove();
      }
    }
  }
  return { rows, verdict: folderLimits(rows) };
}

async function measure({ near, far, place, workload, rounds, say, agents }) {
  const store = far.path('store');
  const remote = far.path('remote.git');
  await near.depot('.', 'install');
  const local = await cloneWith(near, workload, remote);
  await near.depot('clone', 'init', store);
  const given = near.path('given');
  const programs = {
    [DEPOT]: { settings: depot(store), objects: store },
    [ADAPTER]: { settings: fileAdapter(remote), objects: far.path('remote.git', 'lfs', 'objects') },
    [NOTHING]: { settings: doesNothing(given) },
  };
  if (place.name !== 'tmpfs' && workload.size <= SMALL)
    programs[NOT_SYNCED] = { settings: [...depot(store), '-c', 'depot.fsync=false'], objects: store };
  if (workload.size <= SMALL) {
    const objects = far.path('plain-node');
    programs[PLAIN] = { settings: plainNode(objects), objects, clear: () => fresh(objects) };
  }
  for (const agent of agents) {
    const objects = far.path(`by-${agent.name}`);
    programs[agent.name] = { settings: givenAgent(agent, objects), objects, clear: () => fresh(objects) };
  }
  const bytes = workload.count * workload.size;
  const tool = (box, cwd, line, before) =>
    contestant({ box, cwd, command: 'sh', args: ['-c', line], bytes, before, isTool: true });
  const copy = (from, to) => tool(near, from, `exec cp *.bin "${to}"`, () => fresh(to));
  const plain = near.path('plain');
  const copied = far.path('plain');
  const tools = {
    push: {
      cp: copy(plain, copied),
      sha256sum: tool(near, plain, 'exec sha256sum *.bin'),
      'openssl dgst': tool(near, plain, 'exec openssl dgst -sha256 *.bin'),
      ...(workload.size > SMALL && {
        [BOTH]: tool(near, plain, `openssl dgst -sha256 *.bin & cp *.bin "${copied}"; wait`, () => fresh(copied)),
      }),
    },
    fetch: { cp: copy(copied, near.path('fetched')) },
  };
  const found = await lfsRuns({ box: near, programs, ...workload, local, given, tools, rounds, say });
  return rowsOf({ 'store on': place.name, work: workload.work }, found, ADAPTER);
}
