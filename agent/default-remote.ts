import type { Config } from './config.ts';
import { runGit } from './git.ts';

/** The remote that is meant where none is named, as git-lfs chooses it: the one of the branch, or that lfs.remote names, or the only one, or origin. */
export async function defaultRemote(cwd: string, config: Config): Promise<string> {
  const { status, stdout } = await runGit(['symbolic-ref', '--quiet', '--short', 'HEAD'], { cwd });
  const ofBranch = status === 0 ? config.get(`branch.${stdout.trim()}.remote`)?.value : undefined;
  const names = config.settings.flatMap(({ key }) => /^remote\.(.+)\.url$/s.exec(key)?.[1] ?? []);
  const only = new Set(names).size === 1 ? names[0] : undefined;
  return ofBranch ?? config.get('remote.lfsdefault')?.value ?? only ?? 'origin';
}
