import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listenForDeeds } from './control.ts';
import { HOST, runInGuest, WORK } from './guest.ts';
import { CREDENTIALS, prepareSamba } from './samba.ts';

/** What can be asked for, each in a guest of its own: a line of shell in the project's folder, and a limit in seconds. */
const PARTS: Record<string, { job: string; limit: number }> = {
  mountinfo: { job: 'bash scripts/smb/mountinfo.sh', limit: 300 },
  tests: { job: 'node node_modules/vitest/vitest.mjs run --configLoader native test/smb', limit: 2400 },
  situations: { job: 'UV_THREADPOOL_SIZE=32 node scripts/smb/situations.ts', limit: 1800 },
};

const asked = process.argv.slice(2);
for (const name of asked) if (!Object.hasOwn(PARTS, name)) throw new Error(`no part ${name}`);
let failed = false;
const work = realpathSync(mkdtempSync(join(tmpdir(), 'depot-smb-')));
const samba = prepareSamba(work);
try {
  await samba.start();
  const port = await listenForDeeds(samba);
  for (const [name, { job, limit }] of Object.entries(PARTS)) {
    if (asked.length > 0 && !asked.includes(name)) continue;
    const began = performance.now();
    const status = await runInGuest(job, {
      work,
      limit,
      environment: {
        CREDENTIALS: Object.entries(CREDENTIALS)
          .map((pair) => pair.join('='))
          .join(),
        DEPOT_SMB_HOST: HOST,
        DEPOT_SMB_CONTROL: `http://${HOST}:${port}/`,
        DEPOT_TEST_BUILT: '1',
        DEPOT_SMB_WORK: WORK,
      },
    });
    console.log(
      `\n== ${name}: ${status === 0 ? 'done' : `ended with ${status}`} in ${Math.round((performance.now() - began) / 1000)} s`,
    );
    console.log(readFileSync(join(work, 'guest.log'), 'utf8'));
    if (status !== 0) failed = true;
  }
} finally {
  await samba.end();
  rmSync(work, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);
