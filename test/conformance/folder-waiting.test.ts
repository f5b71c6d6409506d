import { tmpdir } from 'node:os';
import { WAITING } from '../../backends/folder/calls.ts';
import { describeBackend } from './conformance.ts';
import { folderStorage } from './folder-storage.ts';

// What a network share gets: the same code over calls that are waited for.
describeBackend('a folder whose calls are waited for', () => folderStorage(tmpdir(), WAITING));
