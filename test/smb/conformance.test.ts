import { afterAll, beforeAll, describe } from 'vitest';
import { describeBackend } from '../conformance/conformance.ts';
import { folderStorage } from '../conformance/folder-storage.ts';
import { HAS_SHARES, mountShare, unmountShare } from './share.ts';

describe.skipIf(!HAS_SHARES)('on a share', () => {
  let share = '';
  beforeAll(() => {
    share = mountShare('lfs/art');
  });
  afterAll(() => unmountShare(share));

  describeBackend('a folder on a mounted share', () => folderStorage(share));
});
