import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Papers } from './archive.ts';
import { repositoryUrl } from './manifests.ts';

/**
 * Packs what `npm install -g lfs-depot` installs: the bundle, and nothing that only its makers need. The repository's own
 * package.json stays private, so that nobody publishes a working tree by mistake. The path is returned.
 */
export function packNpm(bundle: string, papers: Papers, owner: string, folder: string): string {
  const { name, version, description, license, engines, bin } = JSON.parse(readFileSync('package.json', 'utf8'));
  const repository = { type: 'git', url: `git+${repositoryUrl(owner)}.git` };
  const keywords = ['git-lfs', 'lfs', 'custom-transfer', 'webdav', 'nextcloud', 'smb', 'unc'];
  const described = { name, version, description, keywords, license, repository, engines, bin };
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(join(folder, 'fresh-'));
  try {
    mkdirSync(join(work, 'dist'));
    copyFileSync(bundle, join(work, 'dist/lfs-depot.cjs'));
    chmodSync(join(work, 'dist/lfs-depot.cjs'), 0o755);
    for (const [paper, text] of Object.entries(papers)) writeFileSync(join(work, paper), text);
    writeFileSync(join(work, 'package.json'), `${JSON.stringify(described, null, 2)}\n`);
    const args = ['pack', '--silent', '--ignore-scripts', '--pack-destination', resolve(folder)];
    execFileSync('npm', args, { cwd: work, stdio: ['ignore', 'ignore', 'inherit'] });
    return join(folder, `${name}-${version}.tgz`);
  } finally {
    rmSync(work, { recursive: true });
  }
}
