import { execFile } from 'node:child_process';

/**
 * Whether somebody started this program by a double click in Windows' Explorer: its window closes with it, before anybody
 * can read a word.
 */
export async function isDoubleClicked(platform: NodeJS.Platform, parent: number): Promise<boolean> {
  if (platform !== 'win32' || !process.stdin.isTTY) return false;
  // One line of CSV: "explorer.exe","4711","Console","1","90,000 K".
  const args = ['/FI', `PID eq ${parent}`, '/FO', 'CSV', '/NH'];
  return new Promise((resolve) => {
    execFile(
      `${process.env.SystemRoot ?? 'C:\\Windows'}\\System32\\tasklist.exe`,
      args,
      { windowsHide: true, timeout: 5000 },
      (error, stdout) => {
        resolve(!error && /^"explorer\.exe"/im.test(stdout));
      },
    );
  });
}

/** Keeps the window open until Enter is pressed. */
export async function waitForEnter(print: (line: string) => void): Promise<void> {
  print('\nPress Enter to close this window.');
  process.stdin.resume();
  await new Promise((resolve) => process.stdin.once('data', resolve).once('end', resolve));
  process.stdin.pause();
}
