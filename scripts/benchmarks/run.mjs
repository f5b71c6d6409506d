import { cpus, release } from 'node:os';
import { parseArgs } from 'node:util';
import { folder } from './folder.mjs';
import { startup } from './startup.mjs';
import { tableOf } from './table.mjs';
import { webdav } from './webdav.mjs';

/**
 * A benchmark is `{ name, about, rounds, run({ rounds, say }) }`; `run` resolves to `{ rows, verdict }`: rows are flat
 * objects with equal keys, the verdict is a line, or undefined. One file each; add it here.
 */
const BENCHMARKS = [startup, folder, webdav];

const { names, rounds, json } = readArguments();
const results = [];
for (const benchmark of BENCHMARKS) {
  if (names.length > 0 && !names.includes(benchmark.name)) continue;
  const count = rounds ?? benchmark.rounds;
  const say = (text) => process.stderr.isTTY && process.stderr.write(`\r\x1b[K${text}`);
  const { rows, verdict } = await benchmark.run({ rounds: count, say });
  say('');
  results.push({ benchmark: benchmark.name, rounds: count, rows, verdict });
  if (json) continue;
  console.log(`${benchmark.name}: ${benchmark.about}; ${count} rounds\n`);
  console.log(`${tableOf(rows)}\n${verdict ? `\n${verdict}\n` : ''}`);
}

if (json) {
  const machine = { platform: process.platform, release: release(), cpus: cpus().length, node: process.version };
  console.log(JSON.stringify({ machine, results }, null, 2));
}

function readArguments() {
  const options = { rounds: { type: 'string' }, json: { type: 'boolean', default: false } };
  try {
    const { values, positionals } = parseArgs({ allowPositionals: true, options });
    const unknown = positionals.find((name) => !BENCHMARKS.some((benchmark) => benchmark.name === name));
    if (unknown !== undefined) throw new Error(`there is no benchmark '${unknown}'`);
    if (values.rounds !== undefined && !/^[1-9]\d*$/.test(values.rounds)) throw new Error('--rounds needs a number');
    return { names: positionals, rounds: values.rounds && Number(values.rounds), json: values.json };
  } catch (error) {
    console.error(`error: ${error.message}`);
    console.error(
      `usage: scripts/bench [${BENCHMARKS.map(({ name }) => name).join('] [')}] [--rounds <number>] [--json]`,
    );
    process.exit(2);
  }
}
