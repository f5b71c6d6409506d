import type { Request } from './protocol.ts';

/** What was read and not yet answered. What was added before the end is still taken, to be answered. */
export class RequestQueue {
  readonly #waiting: Request[] = [];
  #ended = false;
  #wake: (() => void) | undefined;

  add(request: Request): void {
    this.#waiting.push(request);
    this.#wake?.();
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** The next request, waited for; undefined after the end. */
  async take(): Promise<Request | undefined> {
    while (this.#waiting.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#waiting.shift();
  }
}
