import { readFile } from 'node:fs';
import { join } from 'node:path';
import { SETTINGS, settingsIn } from '../config.ts';
import { answerOnce, REPOSITORY } from '../git.ts';

/**
 * What the line of shell that starts the hub (start.ts) asks git, while Node starts: to start git from Node takes longer than
 * git itself. Each answer is followed by two NUL, git's status, and two NUL, which none of them can hold.
 */
export const ASKED = questions('.lfsconfig');

function questions(lfsConfig: string): readonly string[][] {
  return [REPOSITORY, SETTINGS, settingsIn(lfsConfig)];
}

/** Reads the answers from stdin. What git did not answer is asked again by whoever needs it. */
export async function takeAnswers(): Promise<void> {
  const printed = await new Promise<string>((resolve) => {
    readFile(0, 'utf8', (error, text) => resolve(error ? '' : text));
  });
  const parts = printed.split(/\0\0(\d+)\0\0/);
  // Those who ask name the file by its whole path.
  for (const [index, args] of questions(join(process.cwd(), '.lfsconfig')).entries()) {
    const [answer, status] = parts.slice(2 * index);
    if (answer !== undefined && status === '0') answerOnce(args, answer);
  }
}
