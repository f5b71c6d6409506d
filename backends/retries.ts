/** How often, and how long, what may pass is tried again. */
export interface Retries {
  /** How often one call or request is repeated. */
  count: number;
  /** Milliseconds before the first repetition; doubled with each, and jittered. */
  pause: number;
  /** Milliseconds without a sign of life after which nothing is repeated, from the first failure on. Default: no limit. */
  timeout?: number;
  /** Told of each failure that a repetition follows, in one line. */
  onRetry?: ((line: string) => void) | undefined;
}

/** What has never answered may as well not be there, and who has mistyped its address should not wait for a minute. */
const FIRST_TRIES = 3;

/** The longest pause between two tries, in milliseconds; a first one that was set to more stays. */
const LONGEST_PAUSE = 30_000;

/** How many tries a call has in all. @param reached whether the storage has ever answered. */
export function triesOf({ count }: Retries, reached: boolean): number {
  return reached ? count + 1 : Math.min(count + 1, FIRST_TRIES);
}

/** The pauses in the words of p-retry: each lasts between once and twice what it is set to, lest all clients come back at once. */
export function pausesOf({ pause }: Retries) {
  return { minTimeout: pause, maxTimeout: Math.max(pause, LONGEST_PAUSE), factor: 2, randomize: true };
}

/** For `onRetry`. @param failure what failed and why, in one line. */
export function retryLine(attempt: number, tries: number, failure: string): string {
  return `attempt ${attempt} of ${tries} failed, and is repeated: ${failure}`;
}

/** How long nothing but failures came: a transfer of hours that breaks off is no reason to give up, an hour of failures is. */
export class Trouble {
  readonly #timeout: number;
  #since: number | undefined;

  /** @param timeout milliseconds. */
  constructor(timeout = Number.POSITIVE_INFINITY) {
    this.#timeout = timeout;
  }

  /** An answer came, or bytes moved. */
  alive(): void {
    this.#since = undefined;
  }

  /** To be asked at each failure: whether it has lasted too long. */
  lastsTooLong(): boolean {
    const now = performance.now();
    this.#since ??= now;
    return now - this.#since >= this.#timeout;
  }
}
