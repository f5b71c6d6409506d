/**
 * The lines that the lazy start (start.ts) has read from git-lfs before it became this process, and answered the first
 * of: they come in the environment, because a pipe cannot be pushed back into.
 */
export const INIT_VARIABLE = 'LFS_DEPOT_INIT';
export const NEXT_VARIABLE = 'LFS_DEPOT_NEXT';

export interface Handover {
  /** Lines to take before stdin's. */
  lines: string[];
  /** The init line has been answered already. */
  initAnswered: boolean;
}

/** Takes the lines out of the environment, so that no child process inherits them. */
export function takeHandover(environment: NodeJS.ProcessEnv): Handover {
  const init = environment[INIT_VARIABLE];
  const next = environment[NEXT_VARIABLE];
  delete environment[INIT_VARIABLE];
  delete environment[NEXT_VARIABLE];
  return init === undefined || next === undefined
    ? { lines: [], initAnswered: false }
    : { lines: [init, next], initAnswered: true };
}
