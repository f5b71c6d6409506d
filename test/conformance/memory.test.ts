import { describeBackend } from './conformance.ts';
import { memoryStorage } from './memory.ts';

describeBackend('a fake in memory', memoryStorage, { inProcess: true });
