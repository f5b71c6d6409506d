import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Target } from './targets.ts';

/**
 * Path of a Node for some platform, fetched through npm when it is not in .tools/ yet. Throws when npm gives something else
 * than what is pinned.
 */
export function nodeBinary(node: Target['node']): string {
  const program = node.package.includes('-win-') ? 'node.exe' : 'node';
  const folder = join('.tools', 'packaged', `${node.package}-${node.version}`);
  const path = join(folder, program);
  if (existsSync(path)) return path;
  console.error(`package: fetching ${node.package} ${node.version} from npm`);
  mkdirSync(folder, { recursive: true });
  const fresh = mkdtempSync(join(folder, 'fresh-'));
  try {
    const args = ['pack', '--silent', '--ignore-scripts', '--pack-destination', fresh];
    const file = execFileSync('npm', [...args, `${node.package}@${node.version}`], { encoding: 'utf8' }).trim();
    const archive = join(fresh, file);
    const integrity = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
    if (integrity !== node.integrity)
      throw new Error(`npm gives a ${node.package}@${node.version} that is not the one pinned: ${integrity}`);
    execFileSync('tar', ['-xzf', archive, '-C', fresh, `package/bin/${program}`]);
    renameSync(join(fresh, 'package/bin', program), path);
  } finally {
    rmSync(fresh, { recursive: true });
  }
  return path;
}
