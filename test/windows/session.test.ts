import { testProgramOnWindows } from './windows-session.ts';

await testProgramOnWindows('session/protocol.test.ts', 'session/progress.test.ts', 'session/stopping.test.ts');
