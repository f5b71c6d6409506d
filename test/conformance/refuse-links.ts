// A fake: from here on, no file of this process gets a hard link. No filesystem without links can be mounted in a test.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

/** What FUSE and SMB say (ENOTSUP), or FAT under Linux (EPERM): the environment chooses. */
const code = process.env.DEPOT_TEST_LINK_ERROR ?? 'ENOTSUP';

/** How often a link was asked for. */
export const asked = { times: 0 };

fs.linkSync = (from, to) => {
  asked.times++;
  throw Object.assign(new Error(`${code}: links are refused by a test, link '${from}' -> '${to}'`), { code });
};
syncBuiltinESMExports();
