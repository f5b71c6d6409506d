import { tmpdir } from 'node:os';
import { describeBackend } from '../../conformance/conformance.ts';
import { folderStorage } from '../../conformance/folder-storage.ts';
import { shareStorage } from './share-storage.ts';

// On Windows the folder backend takes every disk for one that may be a network; see `publish`.
const TRAITS = { oneReplacer: false };
describeBackend('a share, \\\\srv\\lfs', () => shareStorage('\\\\srv\\lfs'), TRAITS);
describeBackend('a folder on a drive', () => folderStorage(tmpdir()), TRAITS);
