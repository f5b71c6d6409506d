import { execFile } from 'node:child_process';

/** What a program of ours says to `--version`; undefined when it does not run. */
export function versionOfProgram([program = '', ...words]: string[], cwd: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(program, [...words, '--version'], { cwd, timeout: 10_000, windowsHide: true }, (error, stdout) => {
      resolve(error ? undefined : stdout.trim());
    });
  });
}
