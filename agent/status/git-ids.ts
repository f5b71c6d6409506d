import { runGit } from '../git.ts';

/** The ids of what names like `main^{tree}` mean to git, asked at once; undefined for what is not there. */
export async function idsOf(cwd: string, names: string[]): Promise<(string | undefined)[]> {
  if (names.length === 0) return [];
  const input = `${names.join('\n')}\n`;
  const { stdout } = await runGit(['cat-file', '--batch-check=%(objectname)'], { cwd, input });
  const lines = stdout.split(/\r?\n/).slice(0, names.length);
  return lines.map((line) => (/^[0-9a-f]{40,64}$/.test(line) ? line : undefined));
}
