import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { listenForDeeds } from './control.ts';
import { compareFixtures } from './fixtures.ts';
import { HOST, runInGuest } from './guest.ts';
import { CREDENTIALS, prepareSamba } from './samba.ts';

/** Jobs of one guest each: a line of shell in the project's folder, and a limit in seconds. */
interface Job {
  part: 'mountinfo' | 'tests' | 'situations';
  name?: string;
  line: string;
  limit: number;
}

/** What may leave a guest, and its CIFS client, in a state from which it does not come back. */
const SITUATIONS = ['healthy', 'forbidden', 'full', 'held', 'crash', 'hang', 'closed'];

const JOBS: Job[] = [
  { part: 'mountinfo', line: 'bash scripts/smb/mountinfo.sh', limit: 300 },
  {
    part: 'tests',
    line: 'node node_modules/vitest/vitest.mjs run --configLoader native --reporter verbose --testTimeout 600000',
    limit: 2400,
  },
  ...SITUATIONS.map(
    (name): Job => ({
      part: 'situations',
      name,
      line: `UV_THREADPOOL_SIZE=32 node scripts/smb/situations.ts ${name}`,
      limit: 300,
    }),
  ),
];

/** `run.ts FOLDER [PART [NAME...]]`: of tests a NAME is the beginning of a file's name; `mountinfo save` is for the fixtures. */
const [folder, part, ...names] = process.argv.slice(2);
const jobs = JOBS.filter(
  (job) => part === undefined || (job.part === part && (!job.name || names.length === 0 || names.includes(job.name))),
);
if (jobs.length === 0) throw new Error(`nothing is named ${part} ${names.join(' ')}`);

const work = realpathSync(folder ?? '');
const samba = prepareSamba(work);
const port = await listenForDeeds(samba);
let failed = false;
try {
  for (const job of jobs) {
    const began = performance.now();
    console.log(`\n## ${job.part} ${job.name ?? ''}`);
    await samba.start();
    const files = (names.length > 0 ? names : ['']).map((name) => `test/smb/${name}`);
    const line = job.part === 'tests' ? [job.line, ...files].join(' ') : job.line;
    const outcome = await runInGuest(line, {
      work,
      limit: job.limit,
      environment: {
        CREDENTIALS: Object.entries(CREDENTIALS)
          .map((pair) => pair.join('='))
          .join(),
        DEPOT_SMB_HOST: HOST,
        DEPOT_SMB_CONTROL: `http://${HOST}:${port}/`,
        DEPOT_TEST_BUILT: '1',
        NO_COLOR: '1',
      },
    }).catch((error) => String(error));
    await samba.stop();
    if (job.part === 'mountinfo') console.log(compareFixtures(join(work, 'mountinfo'), names.includes('save')));
    const seconds = Math.round((performance.now() - began) / 1000);
    const good = outcome === 0;
    console.log(`\n${good ? 'done' : `failed (${outcome})`} in ${seconds} s`);
    if (!good) failed = true;
  }
} finally {
  samba.end();
}
process.exit(failed ? 1 : 0);
