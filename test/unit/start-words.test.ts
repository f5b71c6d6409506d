import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { programIn, startSettings } from '../../agent/start.ts';
import { shellQuote } from '../../backends/shell-word.ts';

/** Characters that mean something to a shell, to a regular expression or to a file system, and words of the script. */
const PIECES = [...`ab /.-_ '"$\\\`%*?[]{}()!&|;<>~#=@:,ü日😀`, 'agent', ' agent', "'\\''", '%s', '\\n', 'exec'];

/** No NUL, which no path holds, and no line break, which no installer makes. */
const word = fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 12 }).map((pieces) => pieces.join(''));
const words = fc.array(word, { minLength: 1, maxLength: 3 });

describe.each(['linux', 'darwin', 'win32'] as const)('on %s', (platform) => {
  test('the words of a program are found again in its settings', () => {
    fc.assert(
      fc.property(words, (given) => {
        expect(programIn(startSettings(given, platform))).toEqual(given);
      }),
    );
  });

  test.each([
    [['/usr/local/bin/lfs-depot']],
    [["/opt/it's here/lfs-depot"]],
    [['/opt/agent/lfs-depot']],
    [['C:/Program Files/lfs-depot.exe']],
    [['/usr/bin/node', '/opt/lfs-depot.cjs']],
    [['C:/node.exe', 'C:/Users/agent/lfs-depot.cjs']],
    [['C:/node.exe', 'C:/my agent/lfs-depot.cjs']],
  ])('so are those of %j', (given) => {
    expect(programIn(startSettings(given, platform))).toEqual(given);
  });
});

test.each([
  { path: '/usr/bin/lfs-folderstore', args: '/srv/lfs' },
  { path: 'read', args: '' },
  { path: 'read', args: '-r x; exec something else' },
  { path: '', args: '' },
])('settings of somebody else ($path $args) name no program of ours', (settings) => {
  expect(programIn(settings)).toBeUndefined();
});

test('a program with a location typed behind it is still found', () => {
  expect(programIn({ path: 'C:/lfs-depot.exe', args: 'agent D:/lfs' })).toEqual(['C:/lfs-depot.exe']);
});

test('on Windows the program is started directly', () => {
  expect(startSettings(['C:/Program Files/lfs-depot.exe'], 'win32')).toEqual({
    path: 'C:/Program Files/lfs-depot.exe',
    args: 'agent',
  });
  expect(startSettings(['C:/node.exe', "C:/it's/x.cjs"], 'win32')).toEqual({
    path: 'C:/node.exe',
    args: `'C:/it'\\''s/x.cjs' agent`,
  });
});

test('the line is one line: git config and the shell take it whole', () => {
  for (const platform of ['linux', 'win32'] as const) {
    expect(startSettings(['/a b/\'"$`\\%'], platform).args).not.toContain('\n');
  }
});

test('a quoted word is that word for every shell', () => {
  const given = fc.sample(
    fc.string({ unit: 'grapheme', maxLength: 20 }).filter((text) => !text.includes('\0')),
    200,
  );
  for (const shell of ['dash', 'bash']) {
    const script = `printf '%s\\0' ${given.map(shellQuote).join(' ')}`;
    const told = execFileSync(shell, ['-c', script], { encoding: 'utf8' });
    expect(told.split('\0').slice(0, -1)).toEqual(given);
  }
});
