import { readFileSync } from 'node:fs';

/** The text of a release on GitHub: the template, with the version and what CHANGELOG.md says of it. */
export function releaseNotes(version: string): string {
  const changelog = readFileSync('CHANGELOG.md', 'utf8').split(/^## /m);
  const changes = changelog.find((part) => part.split(/[\s,]/, 1)[0] === version);
  if (changes === undefined) throw new Error(`CHANGELOG.md says nothing of ${version}`);
  const said = changes.slice(changes.indexOf('\n')).trim();
  return readFileSync('docs/release-notes-template.md', 'utf8')
    .replaceAll('{version}', version)
    .replace('{changes}', () => said);
}
