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

/**
 * Puts the checksum of the finished file into its header, the sum of its 16-bit words with carry and its length (Microsoft's
 * "PE Format", CheckSum). Windows does not ask for it in programs, some virus scanners do.
 */
export function finishWindowsProgram(file: string): void {
  const program = readFileSync(file);
  const field = program.readUInt32LE(0x3c) + 24 + 64;
  program.writeUInt32LE(0, field);
  const even = program.length % 2 === 0 ? program : Buffer.concat([program, Buffer.alloc(1)]);
  let sum = 0;
  for (const word of new Uint16Array(even.buffer, even.byteOffset, even.length / 2)) {
    sum += word;
    sum = (sum & 0xffff) + (sum >>> 16);
  }
  program.writeUInt32LE(sum + program.length, field);
  writeFileSync(file, program);
}
