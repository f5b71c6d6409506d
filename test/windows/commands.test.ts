import { testProgramOnWindows } from './windows-session.ts';

await testProgramOnWindows('windows/inside/commands.ts');
