import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { startSettings } from '../../agent/start.ts';
import { interleave } from './interleave.mjs';

/** git-lfs starts eight agents one after another, each blocked until init is answered: this time counts eight times. */
export const startup = {
  name: 'startup',
  about: 'milliseconds from starting an agent to its answer to init',
  rounds: 41,
  run,
};

const PROGRAM = resolve('dist/bin/lfs-depot');
const BUNDLE = resolve('dist/lfs-depot.cjs');
const INIT = '{"event":"init","operation":"upload","remote":"origin","concurrent":true,"concurrenttransfers":8}\n';

const BARE = 'bare Node script';
const AGENT = 'dist/bin/lfs-depot agent';

/** What the agent may cost at most, in bare Node scripts. */
const LIMIT = 1.5;

async function run({ rounds, say }) {
  const folder = mkdtempSync(join(tmpdir(), 'depot-bench-'));
  try {
    const bare = join(folder, 'bare.cjs');
    writeFileSync(bare, `require('node:fs').writeSync(1, '{}\\n');\n`);
    const { path, args } = startSettings([PROGRAM], process.platform);
    const times = await interleave(
      {
        [AGENT]: () => untilReply(PROGRAM, ['agent'], folder),
        'node dist/lfs-depot.cjs agent': () => untilReply(process.execPath, [BUNDLE, 'agent'], folder),
        [BARE]: () => untilReply(process.execPath, [bare], folder),
        'as `install` writes it (lazy)': () => untilReply('sh', ['-c', `${path} ${args}`], folder),
      },
      rounds,
      say,
    );
    const rows = Object.entries(times).map(([program, { median, min }]) => ({
      program,
      median,
      min,
      'median to bare': median / times[BARE].median,
      'min to bare': min / times[BARE].min,
    }));
    const ratio = times[AGENT].median / times[BARE].median;
    const verdict = `start ${ratio.toFixed(2)} times a bare Node script, at most ${LIMIT}: ${ratio <= LIMIT ? 'met' : 'NOT MET'}`;
    return { rows, verdict: [verdict] };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** `wall`: milliseconds from spawn to the first whole line on stdout. Resolves when the process is gone. */
function untilReply(command, args, cwd) {
  return new Promise((resolvePromise, reject) => {
    let elapsed;
    const start = performance.now();
    const child = spawn(command, args, { cwd, stdio: ['pipe', 'pipe', 'inherit'] });
    child.stdin.on('error', () => {}); // A bare script may be gone before it is written to.
    child.stdin.write(INIT);
    child.stdout.on('data', (chunk) => {
      if (elapsed !== undefined || !chunk.includes(10)) return;
      elapsed = performance.now() - start;
      child.stdin.end();
    });
    child.on('error', reject);
    child.on('close', () => {
      if (elapsed === undefined) reject(new Error(`${command} ${args.join(' ')} did not answer`));
      else resolvePromise({ wall: elapsed });
    });
  });
}
