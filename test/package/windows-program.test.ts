import { readFileSync } from 'node:fs';
import { NtExecutable, NtExecutableResource, Resource } from 'resedit';
import { beforeAll, describe, expect, test } from 'vitest';
import { PACKAGING, packaged, whyNoPackaging } from './packaged.ts';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));

describe.skipIf(whyNoPackaging()).each([
  { name: 'win-x64', machine: 0x8664 },
  { name: 'win-arm64', machine: 0xaa64 },
] as const)('the program for $name', ({ name, machine }) => {
  let program: Buffer;
  beforeAll(() => {
    program = readFileSync(packaged(name)[name]);
  }, PACKAGING);

  /** Offset of the header after the signature "PE\0\0". */
  const header = () => program.readUInt32LE(0x3c) + 4;

  test('is a program of the console for that machine', () => {
    expect(program.toString('latin1', 0, 2)).toBe('MZ');
    expect(program.toString('latin1', header() - 4, header())).toBe('PE\0\0');
    expect(program.readUInt16LE(header())).toBe(machine);
    const optional = header() + 20;
    expect(program.readUInt16LE(optional)).toBe(0x20b);
    expect(program.readUInt16LE(optional + 68)).toBe(3);
  });

  test("carries no signature: Node's would be broken", () => {
    const certificates = header() + 20 + 112 + 4 * 8;
    expect([program.readUInt32LE(certificates), program.readUInt32LE(certificates + 4)]).toEqual([0, 0]);
  });

  test('has the checksum of its bytes', () => {
    const field = header() + 20 + 64;
    let sum = 0n;
    for (let at = 0; at < program.length; at += 2) {
      if (at === field || at === field + 2) continue;
      sum += BigInt(at + 1 < program.length ? program.readUInt16LE(at) : program.readUInt8(at));
    }
    while (sum > 0xffffn) sum = (sum & 0xffffn) + (sum >> 16n);
    expect(program.readUInt32LE(field)).toBe(Number(sum) + program.length);
  });

  test('says in its properties what it is', () => {
    const resources = NtExecutableResource.from(NtExecutable.from(program));
    const info = Resource.VersionInfo.fromEntries(resources.entries)[0]!;
    const strings = info.getStringValues(info.getAllLanguagesForStringValues()[0]!);
    expect(strings).toMatchObject({
      FileDescription: expect.stringContaining('lfs-depot'),
      ProductName: 'lfs-depot',
      FileVersion: version,
      ProductVersion: expect.stringMatching(`^${version} \\(`),
      OriginalFilename: 'lfs-depot.exe',
    });
    expect(JSON.stringify(strings)).not.toContain('node.exe');
    expect(resources.entries.some(({ id }) => id === 'NODE_SEA_BLOB')).toBe(true);
  });
});
