import { testOnWindows } from './windows-tests.ts';

await testOnWindows('windows/inside/conformance.ts');
