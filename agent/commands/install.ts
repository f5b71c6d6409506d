import { shellWord } from '../../backends/shell-word.ts';
import { type Config, configOf, readConfig } from '../config.ts';
import { editConfig } from '../config-edit.ts';
import { runGit } from '../git.ts';
import { fleetingPlace, isOnPath, programWords, type Running, running } from '../program.ts';
import { AGENT, ARGS_KEY, FILE_KEYS, MATCH_KEY, PATH_KEY, startSettings } from '../start.ts';

export type Scope = 'global' | 'system';

export interface InstallOptions {
  scope: Scope;
  /** Take care, too, of repositories whose git remote is itself a folder or a share. */
  fileRemotes: boolean;
}

/** Tells git-lfs about the agent. Running it again writes the same. */
export async function install({ scope, fileRemotes }: InstallOptions, print: (line: string) => void): Promise<void> {
  const cwd = process.cwd();
  const { path, args } = startSettings(programWords(), process.platform);
  const wanted: [string, string][] = [
    [PATH_KEY, path],
    [ARGS_KEY, args],
    [MATCH_KEY, AGENT],
    ...(fileRemotes ? FILE_KEYS : []).map((key): [string, string] => [key, AGENT]),
  ];
  const before = configOf((await readConfig(cwd, undefined)).settings.filter((setting) => setting.scope === scope));
  const changes = wanted.filter(([key, value]) => before.all(key).length !== 1 || before.get(key)?.value !== value);
  for (const [key, value] of changes) await editConfig([`--${scope}`, '--replace-all', key, value], cwd);

  print(
    changes.length === 0
      ? `lfs-depot is installed already, in your ${scope} git config:`
      : `Written to your ${scope} git config:`,
  );
  for (const [key, value] of wanted) print(`  ${key} = ${value.length > 60 ? `${value.slice(0, 60)}…` : value}`);
  print(`The program: ${programWords().join(' ')}`);
  const others = 'those on LFS servers are as before.';
  if (fileRemotes) {
    print(
      `Repositories whose lfs.url starts with "depot::" use it, and those whose git remote is a folder or a share; ${others}`,
    );
    print('For a remote on a share, allow it once: lfs-depot trust //server/share');
  } else if (FILE_KEYS.some((key) => before.get(key)?.value === AGENT)) {
    const option = scope === 'system' ? ' --system' : '';
    print(
      `Repositories whose lfs.url starts with "depot::" use it, and those whose git remote is a folder or a share, as install --file-remotes said before (to end that: lfs-depot uninstall${option}, then lfs-depot install${option}); ${others}`,
    );
  } else {
    print(`Only repositories whose lfs.url starts with "depot::" use it; ${others}`);
  }
  const fleeting = fleetingPlace();
  if (fleeting) {
    print(`\nwarning: git-lfs will look for the program where it is now, and ${fleeting}.`);
    print('Move it to a folder where it can stay, and run install again from there.');
  } else if (!isOnPath()) for (const line of pathAdvice(running())) print(line);
  for (const hint of await missing(cwd, await readConfig(cwd, undefined))) print(`\n${hint}`);
  print(
    '\nNext, once per project, in a clone of it:\n  lfs-depot init <location>     like //server/share/art or /srv/lfs/art',
  );
}

/** git-lfs finds the program without it, people who type its name do not. */
function pathAdvice({ platform, executable }: Running): string[] {
  const separator = platform === 'win32' ? '\\' : '/';
  const folder = executable.slice(0, executable.lastIndexOf(separator));
  if (platform !== 'win32')
    return [`\nnote: ${folder} is not on your PATH, so to use lfs-depot by hand, type: ${shellWord(executable)}`];
  const quoted = `'${folder.replaceAll("'", "''")}'`;
  return [
    `\nnote: ${folder} is not on your PATH. To type just "lfs-depot" in new terminals, run once in PowerShell:`,
    `  [Environment]::SetEnvironmentVariable('Path', [Environment]::GetEnvironmentVariable('Path', 'User') + ';' + ${quoted}, 'User')`,
  ];
}

/** What else git-lfs needs before anything works. */
async function missing(cwd: string, config: Config): Promise<string[]> {
  if ((await runGit(['lfs', 'version'], { cwd })).status !== 0) {
    return ['Git LFS itself is not installed yet: see https://git-lfs.com, then run: git lfs install'];
  }
  return config.get('filter.lfs.process') ? [] : ['Git LFS itself is not set up for you yet. Run: git lfs install'];
}
