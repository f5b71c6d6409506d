import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { bundle } from './bundle.ts';
import { EXECUTABLE } from './executable.ts';

/**
 * The bundle, and a single executable for this machine that starts it from a code cache, about as fast as a bare script
 * (docs/architecture.md, "Speed"). What users download is made by scripts/package, in the same way.
 */
const file = 'dist/lfs-depot.cjs';
const program = `dist/bin/lfs-depot${process.platform === 'win32' ? '.exe' : ''}`;

mkdirSync('dist/bin', { recursive: true });
await bundle(file);

// Making the executable copies 150 MB: only when something changed.
const stamp = createHash('sha256')
  .update(process.version)
  .update(readFileSync('scripts/build.mjs'))
  .update(readFileSync('scripts/executable.ts'))
  .update(readFileSync(file))
  .digest('hex');
const stampFile = 'dist/bin/.built-from';
if (!existsSync(program) || !existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== stamp) {
  // Renamed into place: a program that git-lfs is starting right now must be there, whole.
  const fresh = `${program}.${process.pid}`;
  const config = `dist/sea-${process.pid}.json`;
  const settings = { main: file, output: fresh, useCodeCache: true, ...EXECUTABLE };
  writeFileSync(config, JSON.stringify(settings));
  execFileSync(process.execPath, ['--build-sea', config], { stdio: ['ignore', 'ignore', 'inherit'] });
  rmSync(config);
  renameSync(fresh, program);
  writeFileSync(stampFile, stamp);
}
console.log(`built ${program}, ${file}`);
