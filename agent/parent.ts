let known: number | undefined;

/** The process that started this one: git-lfs. On Windows the shell that it starts each agent with. */
export function parentPid(): number {
  return known ?? process.ppid;
}

/** For a process that is not git-lfs's own child; see hub/hub.ts. */
export function workFor(pid: number): void {
  known = pid;
}
