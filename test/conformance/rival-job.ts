/** One put that a rival (rival.ts) is to make. */
export interface Job {
  path: string;
  file: string;
  size: number;
  sha256: string;
  replace?: string | undefined;
}
