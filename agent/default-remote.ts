import type { Config } from './config.ts';
import type { Endpoint, EndpointQuery } from './endpoint.ts';
import { runGit } from './git.ts';
import { endpointHere } from './left-alone.ts';

/** The remote that is meant where none is named, as git-lfs chooses it: the one of the branch, or that lfs.remote names, or the only one, or origin. */
export async function defaultRemote(cwd: string, config: Config): Promise<string> {
  const { status, stdout } = await runGit(['symbolic-ref', '--quiet', '--short', 'HEAD'], { cwd });
  const ofBranch = status === 0 ? config.get(`branch.${stdout.trim()}.remote`)?.value : undefined;
  const names = config.settings.flatMap(({ key }) => /^remote\.(.+)\.url$/s.exec(key)?.[1] ?? []);
  const only = new Set(names).size === 1 ? names[0] : undefined;
  return ofBranch ?? config.get('remote.lfsdefault')?.value ?? only ?? 'origin';
}

/**
 * What says where a push from here goes if no remote is named.
 * @param environment what LFS_DEPOT_LOCATION says, where that counts.
 */
export async function defaultQuery(cwd: string, config: Config, environment?: string): Promise<EndpointQuery> {
  const remote = await defaultRemote(cwd, config);
  return { operation: 'upload', remote, config, argument: undefined, environment };
}

/**
 * Where a push from here goes if no remote is named.
 * @param environment see `defaultQuery`.
 * @throws DepotError `configuration` where nothing names a store.
 */
export async function defaultEndpoint(cwd: string, config: Config, environment?: string): Promise<Endpoint> {
  return endpointHere(await defaultQuery(cwd, config, environment));
}
