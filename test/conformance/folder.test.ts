import { tmpdir } from 'node:os';
import { describeBackend } from './conformance.ts';
import { folderStorage } from './folder-storage.ts';

describeBackend('a folder on the disk of the local files', () => folderStorage(tmpdir()));
