import { openSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { DepotError, describe as inWords, type Kind } from '../../backends/errors.ts';
import { errorCode, fromSystemError, systemWords } from '../../backends/system-error.ts';

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}

function failed(code: string): Error {
  return Object.assign(new Error(`${code}: some words, write '/srv/x'`), { code });
}

test.each<[string, Kind, boolean]>([
  ['ENOSPC', 'no-space', false],
  ['EDQUOT', 'no-space', false],
  ['EFBIG', 'no-space', false],
  ['EACCES', 'denied', false],
  ['EPERM', 'denied', false],
  ['EROFS', 'denied', false],
  ['EIO', 'unreachable', true],
  ['ESTALE', 'unreachable', true],
  ['ENOTCONN', 'unreachable', true],
  ['EHOSTDOWN', 'unreachable', true],
  ['EHOSTUNREACH', 'unreachable', true],
  ['ETIMEDOUT', 'unreachable', true],
  ['ENODEV', 'unreachable', true],
  ['ECONNRESET', 'unreachable', true],
  ['EREMCHG', 'unreachable', true],
  ['EOF', 'unreachable', true],
  ['UNKNOWN', 'unreachable', true],
  ['EKEYREJECTED', 'denied', false],
  ['EBUSY', 'conflict', true],
  ['ETXTBSY', 'conflict', true],
  ['EMFILE', 'conflict', true],
  ['ENAMETOOLONG', 'configuration', false],
  ['ELOOP', 'configuration', false],
  ['ENOTDIR', 'no-store', false],
  ['ESOMETHINGNEW', 'internal', false],
])('%s is of kind %s', (code, kind, temporary) => {
  const cause = failed(code);
  const error = fromSystemError(cause, 'cannot store x');
  expect(error).toMatchObject({ kind, temporary, what: 'cannot store x', why: `some words (${code})`, cause });
  expect(error.cure).not.toBe('');
});

// As Node 26 gives them: libuv has no names for these.
test.each([
  [-122, 'EDQUOT', 'no-space', 'disk quota exceeded (EDQUOT)'],
  [-116, 'ESTALE', 'unreachable', 'stale file handle (ESTALE)'],
  [-78, 'EREMCHG', 'unreachable', 'the share is gone from its server (EREMCHG)'],
  [-129, 'EKEYREJECTED', 'denied', 'system error (EKEYREJECTED)'],
  [-77, 'EBADFD', 'internal', undefined],
])('the system error %i, which Node does not name, is %s', (errno, name, kind, words) => {
  const code = `Unknown system error ${errno}`;
  const error = Object.assign(new Error(`${code}: ${code}, open '/mnt/s/x'`), { errno, code, syscall: 'open' });
  if (words !== undefined) expect(errorCode(error)).toBe(name);
  const failure = fromSystemError(error, 'cannot store x');
  expect(failure.kind).toBe(kind);
  expect(failure.why).toBe(words ?? `system error (${code})`);
});

test('an error that is classified already passes through', () => {
  const error = new DepotError('corrupt', { what: 'a', why: 'b', cure: 'c' });
  expect(fromSystemError(error, 'cannot store x')).toBe(error);
});

test('the words of real errors are kept, with their code and without the path twice', () => {
  expect(systemWords(thrownBy(() => openSync('/no/such/file', 'r')))).toBe('no such file or directory (ENOENT)');
  expect(systemWords(thrownBy(() => readdirSync('/etc/passwd')))).toBe('not a directory (ENOTDIR)');
  expect(systemWords(thrownBy(() => readFileSync('/')))).toContain('EISDIR');
});

test('other things that are thrown have words, too', () => {
  expect(systemWords('just text')).toBe('just text');
  expect(systemWords(undefined)).toBe('undefined');
  expect(systemWords(new Error('no code'))).toBe('no code');
  expect(systemWords(Object.assign(new Error('odd'), { code: 'EODD' }))).toBe('odd (EODD)');
  for (const thrown of ['text', undefined, null, new Error('no code')]) {
    expect(fromSystemError(thrown, 'cannot store x').kind).toBe('internal');
  }
});

test('a code is a text, or it is none', () => {
  expect(errorCode(failed('EIO'))).toBe('EIO');
  for (const thrown of [undefined, null, 'EIO', new Error('x'), { code: 5 }]) expect(errorCode(thrown)).toBeUndefined();
});

test('a person reads what and why on one line, the cure on the next', () => {
  const failure = { what: 'cannot store x', why: 'no space left on device (ENOSPC)', cure: 'free some space there' };
  expect(inWords(new DepotError('no-space', failure))).toBe(
    'cannot store x: no space left on device (ENOSPC)\nhint: free some space there',
  );
  expect(inWords(new DepotError('no-space', { ...failure, cure: '' }))).not.toContain('hint');
});
