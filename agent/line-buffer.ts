/** Longer lines are not kept: no message of git-lfs comes near, and memory must not grow with what comes in. */
const LONGEST_LINE = 1024 * 1024;

/** Makes lines of bytes as they come in. */
export class LineBuffer {
  readonly #lines: string[] = [];
  #rest: Buffer[] = [];
  #restLength = 0;

  /** The bytes are copied where they must outlive the call. */
  add(bytes: Buffer): void {
    let start = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
      this.#finish(bytes.subarray(start, end));
      start = end + 1;
    }
    const tail = bytes.subarray(start);
    this.#restLength += tail.length;
    if (this.#restLength > LONGEST_LINE) this.#rest = [];
    else if (tail.length > 0) this.#rest.push(Buffer.from(tail));
  }

  /** What has no end by now is a line, too. */
  end(): void {
    if (this.#restLength > 0) this.#finish(Buffer.alloc(0));
  }

  /** The next line, without its end; undefined while there is none. */
  shift(): string | undefined {
    return this.#lines.shift();
  }

  #finish(tail: Buffer): void {
    const length = this.#restLength + tail.length;
    const text = Buffer.concat([...this.#rest, tail])
      .toString('utf8')
      .replace(/\r$/, '');
    // Not cut short: the beginning of a line can be a message of its own.
    this.#lines.push(length > LONGEST_LINE ? `a line of ${length} bytes, which is too long` : text);
    this.#rest = [];
    this.#restLength = 0;
  }
}
