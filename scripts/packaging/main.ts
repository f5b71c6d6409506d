import { mkdirSync, rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { bundle } from '../bundle.ts';
import { checkRelease } from './check.ts';
import { makeProgram } from './program.ts';
import { makeRelease, type Order } from './release.ts';
import { parseTarget } from './targets.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    check: { type: 'boolean', default: false },
    /** Packs with little compression, to try things. */
    quick: { type: 'boolean', default: false },
    /** Of the GitHub repository that a release is for. */
    owner: { type: 'string', default: 'lfs-depot' },
  },
});

const order: Order = { owner: values.owner, effort: values.quick ? 'quick' : 'release' };
try {
  await main();
} catch (error) {
  console.error(`package: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  if (values.check) return checkRelease(order);
  const targets = positionals.map(parseTarget);
  mkdirSync('dist/package', { recursive: true });
  // Of its own name: two packagings at once must not see each other's half.
  const file = `dist/package/lfs-depot.${process.pid}.cjs`;
  try {
    const content = { file, ...(await bundle(file)) };
    for (const target of targets) console.log(`made ${await makeProgram(target, content)}`);
    if (targets.length === 0) await makeRelease(content, order);
  } finally {
    rmSync(file, { force: true });
  }
}
