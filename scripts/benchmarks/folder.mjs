import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { filesBelow, Sandbox } from '../../test/sandbox.ts';
import { interleave } from './interleave.mjs';

/**
 * Push and fetch with the real git-lfs: our agent, git-lfs's own file adapter, and an agent that moves nothing, which
 * is what git-lfs itself costs. Clone and store lie on different filesystems: on one, git-lfs's adapter makes links.
 */
export const folder = {
  name: 'folder',
  about: 'milliseconds of `git lfs push` and `fetch`, clone and store on different filesystems',
  rounds: 5,
  run,
};

const WORKLOADS = [
  { work: '1 x 1 MiB', count: 1, size: 1024 * 1024 },
  { work: '300 x 10 KiB', count: 300, size: 10 * 1024 },
  { work: '1 x 500 MB', count: 1, size: 500_000_000 },
];

const DEPOT = 'lfs-depot';
const ADAPTER = 'file adapter';
const NOTHING = 'does nothing';

/** A fake agent: says of every object at once that it is stored. */
const DOES_NOTHING = [
  `while read -r line; do case $line in *'"event":"init"'*) printf '{}\\n';; *'"event":"terminate"'*) exit 0;;`,
  `*) oid=\${line#*'"oid":"'}; printf '{"event":"complete","oid":"%s"}\\n' "\${oid%%'"'*}";; esac; done`,
].join(' ');

async function run({ rounds, say }) {
  const [disk, memory] = [tmpdir(), '/dev/shm'];
  const places = [
    { store: disk, clone: memory },
    { store: memory, clone: disk },
  ];
  if (!existsSync(memory) || statSync(memory).dev === statSync(disk).dev)
    places.splice(0, 2, { store: disk, clone: disk });
  const rows = [];
  for (const place of places) {
    for (const workload of WORKLOADS) rows.push(...(await measure(place, workload, rounds, say)));
  }
  return { rows, verdict: undefined };
}

async function measure(place, { work, count, size }, rounds, say) {
  say(`preparing ${work}, the store in ${place.store}`);
  const near = new Sandbox(place.clone);
  const far = new Sandbox(place.store);
  try {
    const store = far.path('store');
    await near.depot('.', 'install');
    await near.git('.', 'init', '-q', 'clone');
    await near.git('clone', 'lfs', 'track', '*.bin');
    await near.depot('clone', 'init', store);
    await far.git('.', 'init', '-q', '--bare', 'remote.git');
    await near.git('clone', 'remote', 'add', 'origin', far.path('remote.git'));
    for (let index = 0; index < count; index++) near.write(`clone/${index}.bin`, size);
    await near.git('clone', 'add', '.');
    await near.git('clone', 'commit', '-qm', 'objects');

    const fake = [
      '-c',
      'lfs.customtransfer.depot.path=sh',
      '-c',
      `lfs.customtransfer.depot.args=-c '${DOES_NOTHING.replaceAll("'", `'\\''`)}'`,
    ];
    const contestants = {
      [DEPOT]: { settings: ['-c', `lfs.url=depot::${store}`], objects: store },
      [ADAPTER]: {
        settings: ['-c', `lfs.url=file://${far.path('remote.git')}`],
        objects: far.path('remote.git', 'lfs', 'objects'),
      },
      [NOTHING]: { settings: [...fake, '-c', 'lfs.url=depot::/nowhere'], objects: undefined },
    };
    const local = near.path('clone', '.git', 'lfs', 'objects');

    const push =
      ({ settings, objects }) =>
      async () => {
        if (objects) removeObjects(objects);
        const elapsed = await timed(near, settings, 'push', '--all', 'origin');
        if (objects) expectCount(objects, count);
        return elapsed;
      };
    const fetch =
      ({ settings }) =>
      async () => {
        removeObjects(local);
        const elapsed = await timed(near, settings, 'fetch', 'origin', 'HEAD');
        expectCount(local, count);
        return elapsed;
      };
    const each = (way, names) => Object.fromEntries(names.map((name) => [name, way(contestants[name])]));
    const times = {
      push: await interleave(each(push, [DEPOT, ADAPTER, NOTHING]), rounds, say),
      fetch: await interleave(each(fetch, [DEPOT, ADAPTER]), rounds, say),
    };
    return Object.entries(times).flatMap(([way, found]) =>
      Object.entries(found).map(([agent, { median, min }]) => ({
        'store in': place.store,
        work,
        way,
        agent,
        median,
        min,
        'median to adapter': median / found[ADAPTER].median,
      })),
    );
  } finally {
    near.remove();
    far.remove();
  }
}

async function timed(box, settings, ...command) {
  // What the one before left to be written must not slow the next one down.
  await box.ok('sync', []);
  const start = performance.now();
  await box.git('clone', ...settings, 'lfs', ...command);
  return performance.now() - start;
}

function removeObjects(folder) {
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    if (/^[0-9a-f]{2}$/.test(name)) rmSync(join(folder, name), { recursive: true });
  }
}

function expectCount(folder, count) {
  const found = filesBelow(folder).filter((path) => /(^|\/)[0-9a-f]{64}$/.test(path)).length;
  if (found !== count) throw new Error(`${folder} has ${found} objects, not ${count}`);
}
