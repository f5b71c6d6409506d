import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';

const ENDING = JSON.stringify(new URL('../../agent/ending.ts', import.meta.url).href);

function run(script: string) {
  const code = `import { endingOfProcess } from ${ENDING};\nconst ending = endingOfProcess();\n${script}`;
  return spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
}

const LATE = `setTimeout(() => process.stdout.write('done'), 100);`;

describe.skipIf(process.platform === 'win32')('a process that serves git-lfs', () => {
  test('ends by itself when nothing is left to do', () => {
    expect(run(LATE)).toMatchObject({ status: 0, signal: null, stdout: 'done' });
  });

  test('that is not to wait for the end of Node does all that is left first', () => {
    expect(run(`ending.dieWhenDone();\n${LATE}`)).toMatchObject({ signal: 'SIGKILL', stdout: 'done' });
  });
});
