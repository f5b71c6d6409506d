import { afterAll, beforeAll, describe } from 'vitest';
import { describeBackend } from '../conformance/conformance.ts';
import { HAS_SHARES, mountShare, unmountShare } from './share.ts';
import { shareStorage } from './share-storage.ts';

describe.skipIf(!HAS_SHARES).each([
  { how: 'as it comes', options: [] },
  { how: 'with SMB 2.1', options: ['vers=2.1'] },
])('on a share, mounted $how', ({ options }) => {
  let point = '';
  const mount = () => {
    point = mountShare('lfs/art', options);
  };
  beforeAll(mount);
  afterAll(() => unmountShare(point));

  // Two of three who heal one object at the same time were seen to be told that they did.
  describeBackend('a folder', () => shareStorage(point, mount), { oneReplacer: false });
});
