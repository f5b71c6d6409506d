import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { signAdHoc } from '../../scripts/packaging/mac-signature.ts';
import { nodeBinary } from '../../scripts/packaging/node-binary.ts';
import { parseTarget } from '../../scripts/packaging/targets.ts';
import { PACKAGING, packaged, whyNoPackaging } from './packaged.ts';

const lacking = whyNoPackaging();

let folder: string;
let program: Buffer;
let commands: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'depot-signature-'));
  if (lacking !== undefined) return;
  const path = packaged('macos-arm64')['macos-arm64'];
  program = readFileSync(path);
  commands = execFileSync('llvm-objdump', ['--macho', '--private-headers', path], {
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
}, PACKAGING);
afterAll(() => rmSync(folder, { recursive: true }));

describe.skipIf(lacking)(`the program for macOS on arm64, as LLVM reads it ${lacking ?? ''}`, () => {
  test('has one signature, the last thing in it', () => {
    expect(commands.match(/cmd LC_CODE_SIGNATURE/g)).toHaveLength(1);
    const { offset, size } = signatureCommand();
    expect(offset + size).toBe(program.length);
    const linkedit = /segname __LINKEDIT[\s\S]*?fileoff (\d+)\s+filesize (\d+)/.exec(commands)!;
    expect(Number(linkedit[1]) + Number(linkedit[2])).toBe(program.length);
  });

  test('carries what Node looks for', () => {
    expect(commands).toMatch(/segname NODE_SEA\b/);
  });

  // By the layout in Apple's cs_blobs.h, read here a second time.
  test('is signed ad hoc, by hashes that are those of its pages', () => {
    const { offset } = signatureCommand();
    const blob = program.subarray(offset);
    expect(blob.readUInt32BE(0).toString(16)).toBe('fade0cc0');
    const directory = blob.subarray(blob.readUInt32BE(16));
    expect(directory.readUInt32BE(0).toString(16)).toBe('fade0c02');
    expect(directory.readUInt32BE(12) & 0x2).toBe(0x2);
    const identifier = directory.subarray(directory.readUInt32BE(20));
    expect(identifier.toString('latin1', 0, identifier.indexOf(0))).toBe('lfs-depot');
    expect(directory.readUInt32BE(32)).toBe(offset);
    const pages = directory.readUInt32BE(28);
    expect(pages).toBe(Math.ceil(offset / 4096));
    const hashes = directory.subarray(directory.readUInt32BE(16));
    for (let page = 0; page < pages; page++) {
      const bytes = program.subarray(page * 4096, Math.min(offset, (page + 1) * 4096));
      const expected = createHash('sha256').update(bytes).digest();
      if (!hashes.subarray(page * 32, page * 32 + 32).equals(expected)) throw new Error(`page ${page} differs`);
    }
  });
});

test.skipIf(lacking)('a signature that is there is replaced, by the very bytes of LLVM', () => {
  // llvm-strip signs what it writes by the name of the file, if it was signed.
  const stripped = join(folder, 'stripped');
  execFileSync('llvm-strip', ['-x', nodeBinary(parseTarget('macos-arm64').node), '-o', stripped]);
  const signed = readFileSync(stripped);
  expect(signAdHoc(signed, 'stripped').equals(signed)).toBe(true);
});

test.skipIf(lacking)('signing twice is signing once', () => {
  expect(signAdHoc(program, 'lfs-depot').equals(program)).toBe(true);
});

test.skipIf(lacking)('what is no whole Mach-O program is refused', () => {
  expect(() => signAdHoc(Buffer.alloc(100), 'x')).toThrow('no 64-bit Mach-O');
  const longer = Buffer.concat([program, Buffer.alloc(16)]);
  expect(() => signAdHoc(longer, 'x')).toThrow('behind the last segment');
});

function signatureCommand(): { offset: number; size: number } {
  const found = /cmd LC_CODE_SIGNATURE\s+cmdsize 16\s+dataoff (\d+)\s+datasize (\d+)/.exec(commands)!;
  return { offset: Number(found[1]), size: Number(found[2]) };
}
