import { tmpdir } from 'node:os';
import { WAITING } from '../../backends/folder/calls.ts';
import { describeBackend } from './conformance.ts';
import { folderStorage } from './folder-storage.ts';

// What a network share gets: the same code over calls that are waited for. As on a share, what is replaced goes aside first: while one
// puts back what another has just put there, a third may put the same bytes, and both have created it.
describeBackend('a folder whose calls are waited for', () => folderStorage(tmpdir(), WAITING), { oneReplacer: false });
