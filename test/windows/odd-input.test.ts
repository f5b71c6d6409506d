import { testProgramOnWindows } from './windows-session.ts';

await testProgramOnWindows(
  'session/unexpected-input.test.ts',
  'session/wrong-local-file.test.ts',
  'windows/inside/fuzz.ts',
);
