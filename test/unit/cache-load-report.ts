/** What one process of cache-load.test.ts saw. */
export interface LoadReport {
  hits: number;
  misses: number;
  /** Hits with other bytes than the object's. */
  wrong: number;
}
