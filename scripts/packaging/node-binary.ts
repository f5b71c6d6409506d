import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { BUILDERS, type Target } from './targets.ts';

type NodePackage = Target['node'];

/**
 * Path of a Node for some platform, fetched through npm when it is not in .tools/ yet. Throws when npm gives something else
 * than what is pinned.
 */
export function nodeBinary(node: NodePackage): string {
  return fetched(node, node.package.includes('-win-') ? 'bin/node.exe' : 'bin/node');
}

/** Path of the licenses of Node and of what it contains. Not all of the packages have it. */
export function nodeLicenses(version: string): string {
  const node = BUILDERS.find((builder) => builder.version === version);
  if (node === undefined) throw new Error(`no Node ${version} to package with`);
  return fetched(node, 'LICENSE');
}

function fetched(node: NodePackage, file: string): string {
  const folder = join('.tools', 'packaged', `${node.package}-${node.version}`);
  const path = join(folder, basename(file));
  if (existsSync(path)) return path;
  console.error(`package: fetching ${node.package} ${node.version} from npm`);
  mkdirSync(folder, { recursive: true });
  const fresh = mkdtempSync(join(folder, 'fresh-'));
  try {
    const args = ['pack', '--silent', '--ignore-scripts', '--pack-destination', fresh];
    const name = execFileSync('npm', [...args, `${node.package}@${node.version}`], { encoding: 'utf8' }).trim();
    const archive = join(fresh, name);
    const integrity = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
    if (integrity !== node.integrity)
      throw new Error(`npm gives a ${node.package}@${node.version} that is not the one pinned: ${integrity}`);
    const files = BUILDERS.includes(node) ? ['bin/node', 'LICENSE'] : [file];
    execFileSync('tar', ['-xzf', archive, '-C', fresh, ...files.map((wanted) => `package/${wanted}`)]);
    for (const wanted of files) renameSync(join(fresh, 'package', wanted), join(folder, basename(wanted)));
  } finally {
    rmSync(fresh, { recursive: true });
  }
  return path;
}
