import { mkdirSync, rmSync } from 'node:fs';
import { bundle } from '../bundle.ts';
import { makeProgram } from './program.ts';
import { parseTarget, TARGETS } from './targets.ts';

const targets = process.argv.length > 2 ? process.argv.slice(2).map(parseTarget) : TARGETS;
mkdirSync('dist/package', { recursive: true });
// Of its own name: two packagings at once must not see each other's half.
const file = `dist/package/lfs-depot.${process.pid}.cjs`;
try {
  const content = { file, ...(await bundle(file)) };
  for (const target of targets) console.log(`made ${await makeProgram(target, content)}`);
} finally {
  rmSync(file, { force: true });
}
