/**
 * The lines that the lazy start (start.ts) has read from git-lfs before it became this process, and answered the first
 * of: they come in the environment, because a pipe cannot be pushed back into.
 */
export const INIT_VARIABLE = 'LFS_DEPOT_INIT';
export const NEXT_VARIABLE = 'LFS_DEPOT_NEXT';
/** The file where the workers of this git-lfs meet, for the process that is to serve them all; see hub/hub.ts. */
export const HUB_VARIABLE = 'LFS_DEPOT_HUB';

/** libuv's own, for the hub: so many calls that take long, like fsync, go on side by side. */
export const THREADS_VARIABLE = 'UV_THREADPOOL_SIZE';

export interface Handover {
  /** Lines to take before stdin's. */
  lines: string[];
  /** The init line has been answered already. */
  initAnswered: boolean;
  /** Instead of stdin and stdout: where workers are waiting, and what the first of them was told at init. */
  hub?: { file: string; init: string };
}

/** Takes the lines out of the environment, so that no child process inherits them. */
export function takeHandover(environment: NodeJS.ProcessEnv): Handover {
  const init = environment[INIT_VARIABLE];
  const next = environment[NEXT_VARIABLE];
  const file = environment[HUB_VARIABLE];
  delete environment[INIT_VARIABLE];
  delete environment[NEXT_VARIABLE];
  delete environment[HUB_VARIABLE];
  if (init !== undefined && file !== undefined) {
    delete environment[THREADS_VARIABLE];
    return { lines: [], initAnswered: true, hub: { file, init } };
  }
  return init === undefined || next === undefined
    ? { lines: [], initAnswered: false }
    : { lines: [init, next], initAnswered: true };
}
