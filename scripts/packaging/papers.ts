import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Papers } from './archive.ts';
import { nodeLicenses } from './node-binary.ts';

/** README and licenses, as they lie beside a program that contains Node `nodeVersion` and the packages in `packages`. */
export function papersOf(packages: string[], nodeVersion: string | undefined): Papers {
  return {
    'README.md': readFileSync('README.md'),
    LICENSE: readFileSync('LICENSE'),
    'LICENSE.third-party.txt': thirdPartyLicenses(packages, nodeVersion),
  };
}

/** The licenses of what a program contains, which ask to be given along. */
function thirdPartyLicenses(packages: string[], nodeVersion: string | undefined): string {
  const parts = packages.map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file === undefined ? `${license} license` : readFileSync(join(folder, file), 'utf8');
    return { title: `${name} ${version}`, text };
  });
  if (nodeVersion !== undefined)
    parts.push({ title: `Node.js ${nodeVersion}`, text: readFileSync(nodeLicenses(nodeVersion), 'utf8') });
  const rule = '='.repeat(78);
  const text = parts.map((part) => `${rule}\n${part.title}\n${rule}\n\n${part.text.trim()}\n`).join('\n');
  return `lfs-depot contains the following, each under its own license.\n\n${text}`.replaceAll('\r\n', '\n');
}
