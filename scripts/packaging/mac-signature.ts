import { createHash } from 'node:crypto';

/**
 * Gives a 64-bit Mach-O program an ad-hoc signature, which names nobody and proves only that the file is whole; macOS on
 * arm64 starts nothing without. A signature that is there is replaced. It is what Apple's and LLVM's linkers write: one
 * CodeDirectory, SHA-256 of each 4 KiB page (xnu, osfmk/kern/cs_blobs.h). No tool of Debian or npm signs what had no
 * signature. `name` is the identifier in it.
 */
export function signAdHoc(file: Buffer, name: string): Buffer {
  const program = readMachO(file);
  const end = program.signature?.offset ?? file.length;
  const limit = roundUp(end, SIGNATURE_ALIGNMENT);
  const hashes = DIRECTORY_HEADER + roundUp(Buffer.byteLength(name) + 1, SIGNATURE_ALIGNMENT);
  const directorySize = hashes + Math.ceil(limit / PAGE) * HASH;
  const size = roundUp(BLOB_HEADER + directorySize, SIGNATURE_ALIGNMENT);

  const signed = Buffer.alloc(limit + size);
  file.copy(signed, 0, 0, end);
  const command = program.signature?.command ?? addCommand(signed, program);
  signed.writeUInt32LE(LC_CODE_SIGNATURE, command);
  signed.writeUInt32LE(16, command + 4);
  signed.writeUInt32LE(limit, command + 8);
  signed.writeUInt32LE(size, command + 12);
  const { linkedit, text } = program;
  const linked = BigInt(signed.length) - linkedit.offset;
  signed.writeBigUInt64LE(linked, linkedit.command + 48);
  signed.writeBigUInt64LE(BigInt(roundUp(Number(linked), SEGMENT_ALIGNMENT)), linkedit.command + 32);

  // From here on numbers are big-endian. First an index of one entry, number 0: the CodeDirectory.
  const blob = signed.subarray(limit);
  blob.writeUInt32BE(CSMAGIC_EMBEDDED_SIGNATURE, 0);
  blob.writeUInt32BE(BLOB_HEADER + directorySize, 4);
  blob.writeUInt32BE(1, 8);
  blob.writeUInt32BE(0, 12);
  blob.writeUInt32BE(BLOB_HEADER, 16);
  const directory = blob.subarray(BLOB_HEADER);
  directory.writeUInt32BE(CSMAGIC_CODEDIRECTORY, 0);
  directory.writeUInt32BE(directorySize, 4);
  directory.writeUInt32BE(SUPPORTS_EXEC_SEGMENT, 8);
  directory.writeUInt32BE(CS_ADHOC | CS_LINKER_SIGNED, 12);
  directory.writeUInt32BE(hashes, 16);
  directory.writeUInt32BE(DIRECTORY_HEADER, 20); // of the identifier
  directory.writeUInt32BE(0, 24); // hashes of other things than pages
  directory.writeUInt32BE(Math.ceil(limit / PAGE), 28);
  directory.writeUInt32BE(limit, 32);
  directory.writeUInt8(HASH, 36);
  directory.writeUInt8(CS_HASHTYPE_SHA256, 37);
  directory.writeUInt8(0, 38); // platform binary
  directory.writeUInt8(Math.log2(PAGE), 39);
  directory.writeBigUInt64BE(text.offset, 64);
  directory.writeBigUInt64BE(text.size, 72);
  directory.writeBigUInt64BE(CS_EXECSEG_MAIN_BINARY, 80);
  directory.write(name, DIRECTORY_HEADER);
  for (let page = 0; page * PAGE < limit; page++) {
    const bytes = signed.subarray(page * PAGE, Math.min((page + 1) * PAGE, limit));
    createHash('sha256')
      .update(bytes)
      .digest()
      .copy(directory, hashes + page * HASH);
  }
  return signed;
}

const PAGE = 4096;
const HASH = 32;
const SIGNATURE_ALIGNMENT = 16;
/** The larger of the two architectures' pages. */
const SEGMENT_ALIGNMENT = 16384;
/** 20 bytes, and room so that what follows is aligned to 8. */
const BLOB_HEADER = 24;
const DIRECTORY_HEADER = 88;

const MH_MAGIC_64 = 0xfeedfacf;
const LC_SEGMENT_64 = 0x19;
const LC_CODE_SIGNATURE = 0x1d;
const CSMAGIC_EMBEDDED_SIGNATURE = 0xfade0cc0;
const CSMAGIC_CODEDIRECTORY = 0xfade0c02;
const SUPPORTS_EXEC_SEGMENT = 0x20400;
const CS_ADHOC = 0x2;
const CS_LINKER_SIGNED = 0x20000;
const CS_HASHTYPE_SHA256 = 2;
const CS_EXECSEG_MAIN_BINARY = 1n;

interface Segment {
  /** Where its load command is in the file. */
  command: number;
  offset: bigint;
  size: bigint;
}

interface MachO {
  commandsEnd: number;
  firstSection: number;
  text: Segment;
  linkedit: Segment;
  signature: { command: number; offset: number } | undefined;
}

function readMachO(file: Buffer): MachO {
  if (file.length < 32 || file.readUInt32LE(0) !== MH_MAGIC_64) throw new Error('this is no 64-bit Mach-O program');
  const segments = new Map<string, Segment>();
  let signature: MachO['signature'];
  let firstSection = file.length;
  let at = 32;
  for (let left = file.readUInt32LE(16); left > 0; left--) {
    const kind = file.readUInt32LE(at);
    if (kind === LC_CODE_SIGNATURE) signature = { command: at, offset: file.readUInt32LE(at + 8) };
    if (kind === LC_SEGMENT_64) {
      const name = file.toString('latin1', at + 8, at + 24).replace(/\0.*$/s, '');
      segments.set(name, {
        command: at,
        offset: file.readBigUInt64LE(at + 40),
        size: file.readBigUInt64LE(at + 48),
      });
      for (let section = 0; section < file.readUInt32LE(at + 64); section++) {
        const offset = file.readUInt32LE(at + 72 + section * 80 + 48);
        if (offset > 0) firstSection = Math.min(firstSection, offset); // 0: nothing in the file
      }
    }
    at += file.readUInt32LE(at + 4);
  }
  const text = segments.get('__TEXT');
  const linkedit = segments.get('__LINKEDIT');
  if (text === undefined || linkedit === undefined) throw new Error('the Mach-O program lacks a segment');
  const end = Number(linkedit.offset + linkedit.size);
  if (end !== file.length) throw new Error('something lies behind the last segment of the Mach-O program');
  return { commandsEnd: at, firstSection, text, linkedit, signature };
}

function addCommand(file: Buffer, program: MachO): number {
  if (program.commandsEnd + 16 > program.firstSection) throw new Error('no room for another Mach-O load command');
  file.writeUInt32LE(file.readUInt32LE(16) + 1, 16);
  file.writeUInt32LE(file.readUInt32LE(20) + 16, 20);
  return program.commandsEnd;
}

function roundUp(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}
