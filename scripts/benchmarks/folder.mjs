import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { Sandbox } from '../../test/sandbox.ts';
import { ADAPTER, DEPOT, depot, doesNothing, fileAdapter, givenAgent, NOTHING } from './agents.mjs';
import { interleave } from './interleave.mjs';
import { folderLimits } from './limits.mjs';
import { contestant } from './measure.mjs';
import { cloneWith, expectCount, layOut, removeObjects, setAside } from './objects.mjs';
import { rowsOf } from './table.mjs';
import { WORKLOADS } from './workloads.mjs';

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
  const lfs = (settings, args, objects) => ({
    box: near,
    cwd: 'clone',
    command: 'git',
    args: [...settings, 'lfs', ...args],
    objects,
  });

  const programs = {
    [DEPOT]: { settings: depot(store), objects: store },
    [ADAPTER]: { settings: fileAdapter(remote), objects: far.path('remote.git', 'lfs', 'objects') },
    [NOTHING]: { settings: doesNothing(given) },
  };
  for (const agent of agents) {
    const objects = far.path(`by-${agent.name}`);
    programs[agent.name] = { settings: givenAgent(agent, objects), objects, clear: () => fresh(objects) };
  }
  const each = (make) =>
    Object.fromEntries(Object.entries(programs).map(([name, program]) => [name, contestant(make(program))]));
  const push = ({ settings, objects, clear }) => ({
    ...lfs(settings, ['push', '--all', 'origin']),
    before: () => (clear ? clear() : objects && removeObjects(objects)),
    after: () => objects && expectCount(objects, workload.count),
  });
  const again = ({ settings }) => lfs(settings, ['push', '--all', 'origin']);
  const fetch = ({ settings, objects }) => ({
    ...lfs(settings, ['fetch', 'origin', 'HEAD']),
    before: () => {
      removeObjects(local);
      if (!objects) layOut(near.path('aside'), given);
    },
    after: () => expectCount(local, workload.count),
  });
  const tool = (box, cwd, line, before) =>
    contestant({ box, cwd, command: 'sh', args: ['-c', line], before, isTool: true });
  const copy = (from, to) => tool(near, from, `exec cp *.bin "${to}"`, () => fresh(to));
  const plain = near.path('plain');
  const found = {
    push: await interleave(
      {
        ...each(push),
        cp: copy(plain, far.path('plain')),
        sha256sum: tool(near, plain, 'exec sha256sum *.bin'),
        'openssl dgst': tool(near, plain, 'exec openssl dgst -sha256 *.bin'),
      },
      rounds,
      say,
    ),
    again: await interleave(each(again), rounds, say),
  };
  setAside(local, near.path('aside'));
  found.fetch = await interleave({ ...each(fetch), cp: copy(far.path('plain'), near.path('fetched')) }, rounds, say);
  return rowsOf({ 'store on': place.name, work: workload.work }, found, ADAPTER);
}

function fresh(path) {
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path);
}
