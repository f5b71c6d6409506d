import { readFileSync, writeFileSync } from 'node:fs';
import { NtExecutable, NtExecutableResource, Resource } from 'resedit';

/**
 * Makes Node's program for Windows one that may become ours: without the signature, which what is embedded later would
 * break, and saying in its properties what it is. `file` is rewritten. `version` is like 1.2.3.
 */
export function prepareWindowsProgram(file: string, version: string, commit: string): void {
  const program = NtExecutable.from(readFileSync(file), { ignoreCert: true });
  const resources = NtExecutableResource.from(program);
  const info = Resource.VersionInfo.fromEntries(resources.entries)[0];
  if (info === undefined) throw new Error(`${file} has no version to replace`);
  const [major = 0, minor = 0, patch = 0] = version.split(/[.-]/).map(Number);
  info.setFileVersion(major, minor, patch, 0);
  info.setProductVersion(major, minor, patch, 0);
  for (const language of info.getAllLanguagesForStringValues()) {
    info.setStringValues(language, {
      FileDescription: 'lfs-depot: Git LFS objects in a folder, a share or WebDAV',
      ProductName: 'lfs-depot',
      FileVersion: version,
      ProductVersion: `${version} (${commit})`,
      OriginalFilename: 'lfs-depot.exe',
      InternalName: 'lfs-depot',
      CompanyName: 'the lfs-depot authors',
      LegalCopyright: 'MIT license; contains Node.js, copyright Node.js contributors, MIT license',
    });
  }
  info.outputToResourceEntries(resources.entries);
  resources.outputResource(program);
  writeFileSync(file, Buffer.from(program.generate()));
}
