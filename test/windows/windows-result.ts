/** What became of one test under Wine. */
export interface WindowsResult {
  /** With the groups around it. */
  name: string;
  outcome: 'passed' | 'failed' | 'skipped';
  milliseconds: number;
  /** The error, for a failed one. */
  why?: string;
}
