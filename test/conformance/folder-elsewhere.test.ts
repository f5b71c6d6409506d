import { accessSync, constants, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { test } from 'vitest';
import { describeBackend } from './conformance.ts';
import { folderStorage } from './folder-storage.ts';

/** A filesystem of its own on every Linux: local files and storage cannot share links, clones or renames. */
const ELSEWHERE = '/dev/shm';

const lacking = whyNot();
if (lacking === undefined) describeBackend('a folder on another filesystem', () => folderStorage(ELSEWHERE));
else test.skip(`a folder on another filesystem: ${lacking}`, () => {});

function whyNot(): string | undefined {
  try {
    accessSync(ELSEWHERE, constants.W_OK);
  } catch (error) {
    return `${ELSEWHERE} cannot be used here, ${error}`;
  }
  const same = statSync(ELSEWHERE).dev === statSync(tmpdir()).dev;
  return same ? `${ELSEWHERE} is the filesystem of ${tmpdir()}` : undefined;
}
