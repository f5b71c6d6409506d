import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { shellQuote } from '../../backends/shell-word.ts';
import { soundStore } from '../e2e/objects.ts';
import { Sandbox } from '../sandbox.ts';
import { PACKAGING, packaged, startWords, whyNotRun } from './packaged.ts';

const lacking = whyNotRun('linux-arm64');

let box: Sandbox;
let words: string[];
beforeAll(() => {
  if (lacking !== undefined) return;
  box = new Sandbox();
  words = startWords('linux-arm64', packaged('linux-arm64')['linux-arm64']);
}, PACKAGING);
afterAll(() => box?.remove());

test.skipIf(lacking)(
  `the program for Linux on arm64 pushes and clones ${lacking ?? ''}`,
  async () => {
    // git-lfs can start a script in its stead; the kernel cannot start the program itself here. It keeps a record.
    const line = `echo "$@" >>${shellQuote(box.path('started'))}; exec ${words.map(shellQuote).join(' ')} "$@"`;
    const script = box.write('lfs-depot on arm64', `#!/bin/sh\n${line}\n`);
    await box.ok('chmod', ['+x', script]);
    const depot = (cwd: string, ...args: string[]) => box.ok(script, args, { cwd });

    await depot('.', 'install');
    await box.git('.', 'config', '--global', 'lfs.customtransfer.depot.path', script);
    await box.git('.', 'config', '--global', 'lfs.customtransfer.depot.args', 'agent');
    await box.git('.', 'init', '-q', '--bare', 'remote.git');
    await box.git('.', 'clone', '-q', 'remote.git', 'alice');
    await box.git('alice', 'lfs', 'track', '*.bin');
    await depot('alice', 'init', box.path('store'));
    box.write('alice/small.bin', 1000);
    box.write('alice/large.bin', 20_000_000);
    await box.push('alice');
    expect(soundStore(box.path('store'))).toHaveLength(2);

    await box.git('.', 'clone', '-q', 'remote.git', 'bob');
    for (const name of ['small.bin', 'large.bin'])
      expect(readFileSync(box.path('bob', name)).equals(readFileSync(box.path('alice', name)))).toBe(true);
    expect(readFileSync(box.path('started'), 'utf8').split('\n')).toContain('agent');
  },
  300_000,
);
