import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { parseArgs } from 'node:util';
import { folder } from './folder.mjs';
import { startup } from './startup.mjs';
import { markdownOf, tableOf } from './table.mjs';
import { webdav } from './webdav.mjs';
import { WORKLOADS } from './workloads.mjs';

/**
 * A benchmark is `{ name, about, rounds, run({ rounds, say, agents, works }) }`; `run` resolves to `{ rows, verdict }`: rows
 * are flat objects with equal keys, the verdict is lines. One file each; add it here.
 */
const BENCHMARKS = [startup, folder, webdav];

const PAGE = 'docs/benchmarks.md';

const { names, rounds, json, record, agents, works } = readArguments();
const results = [];
for (const benchmark of BENCHMARKS) {
  if (names.length > 0 && !names.includes(benchmark.name)) continue;
  const count = rounds ?? benchmark.rounds;
  const say = (text) => process.stderr.isTTY && process.stderr.write(`\r\x1b[K${text}`);
  const { rows, verdict } = await benchmark.run({ rounds: count, say, agents, works });
  say('');
  results.push({ benchmark: benchmark.name, about: benchmark.about, rounds: count, rows, verdict });
  if (json) continue;
  console.log(`${benchmark.name}: ${benchmark.about}\n`);
  console.log(`${tableOf(rows)}\n\n${verdict.join('\n')}\n`);
}

const machine = {
  platform: process.platform,
  release: release().split('.', 2).join('.'),
  cpus: cpus().length,
  node: process.version,
};
if (json) console.log(JSON.stringify({ machine, results }, null, 2));
if (record) writeFileSync(PAGE, markdownOf(machine, results, existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : ''));

function readArguments() {
  const options = {
    rounds: { type: 'string' },
    work: { type: 'string', multiple: true },
    json: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
  };
  try {
    const { agents, rest } = takeAgents(process.argv.slice(2));
    const { values, positionals } = parseArgs({ args: rest, allowPositionals: true, options });
    const unknown = positionals.find((name) => !BENCHMARKS.some((benchmark) => benchmark.name === name));
    if (unknown !== undefined) throw new Error(`there is no benchmark '${unknown}'`);
    const strange = values.work?.find((name) => !WORKLOADS.some(({ work }) => work === name));
    if (strange !== undefined)
      throw new Error(`there is no work '${strange}': ${WORKLOADS.map(({ work }) => `'${work}'`).join(', ')}`);
    if (values.rounds !== undefined && !/^[1-9]\d*$/.test(values.rounds)) throw new Error('--rounds needs a number');
    const { json, record, work } = values;
    return { names: positionals, rounds: values.rounds && Number(values.rounds), json, record, agents, works: work };
  } catch (error) {
    console.error(`error: ${error.message}`);
    console.error(
      `usage: scripts/bench [${BENCHMARKS.map(({ name }) => name).join('] [')}] [--work <work>]... [--rounds <number>]` +
        ' [--agent <name> <path> <args>]... [--json] [--record]',
    );
    process.exit(2);
  }
}

/** Each `--agent` with the three words after it. */
function takeAgents(args) {
  const agents = [];
  const rest = [];
  for (let index = 0; index < args.length; index++) {
    if (args[index] !== '--agent') {
      rest.push(args[index]);
      continue;
    }
    const [name, path, own] = args.slice(index + 1, index + 4);
    if (own === undefined) throw new Error('--agent needs a name, a path and arguments, in quotes');
    if (!/^[\w.-]+$/.test(name))
      throw new Error(`'${name}' is no name for an agent: letters, digits, '.', '_' and '-'`);
    agents.push({ name, path, args: own });
    index += 3;
  }
  return { agents, rest };
}
