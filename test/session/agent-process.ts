import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { PROGRAM, type Sandbox } from '../sandbox.ts';

/** What the agent says, as loosely as git-lfs reads it. */
export interface Message {
  event?: string;
  oid?: string;
  path?: string;
  bytesSoFar?: number;
  bytesSinceLast?: number;
  error?: { code: number; message: string };
}

export interface Start {
  /** Default: the built program; with `args` given, any command. */
  command?: string;
  args?: string[];
  cwd?: string;
  env?: NodeJS.ProcessEnv;
}

export interface End {
  status: number | null;
  signal: NodeJS.Signals | null;
}

export const INIT_UPLOAD = { event: 'init', operation: 'upload', remote: 'origin', concurrent: true };
export const INIT_DOWNLOAD = { ...INIT_UPLOAD, operation: 'download' };
export const TERMINATE = { event: 'terminate' };

/** Milliseconds after which a test is hanging; nothing that works comes near. */
const FOREVER = 30_000;

const running = new Set<ChildProcess>();

/** Ends what a failed test left behind. */
export function stopLeftovers(): void {
  for (const child of running) child.kill('SIGKILL');
}

/** One agent process in the hands of a test, which plays git-lfs. */
export class AgentProcess {
  readonly messages: Message[] = [];
  /** Lines on stdout that are no JSON objects: git-lfs would give up with `EOF`. */
  readonly strays: string[] = [];
  readonly child: ChildProcess;
  readonly end: Promise<End>;
  stderr = '';
  readonly #sent: Buffer[] = [];
  #rest = '';
  #ended = false;

  constructor(box: Sandbox, store: string, start: Start = {}) {
    const { command = PROGRAM, args = ['agent', store], cwd = 'repo', env } = start;
    this.child = box.start(command, args, { cwd, ...(env && { env }), stdio: 'pipe' });
    running.add(this.child);
    this.child.stdin?.on('error', () => {}); // An agent that is gone already.
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#read(text));
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.end = new Promise((resolve) => {
      this.child.on('close', (status, signal) => {
        if (this.#rest !== '') this.strays.push(this.#rest);
        running.delete(this.child);
        this.#ended = true;
        resolve({ status, signal });
      });
    });
  }

  /** Sends each as a line of its own. */
  send(...messages: (object | string)[]): void {
    for (const message of messages) this.write(`${typeof message === 'string' ? message : JSON.stringify(message)}\n`);
  }

  /** Sends bytes as they are. */
  write(bytes: string | Buffer): void {
    this.#sent.push(Buffer.from(bytes));
    this.child.stdin?.write(bytes);
  }

  endInput(): void {
    this.child.stdin?.end();
  }

  /** The messages that are answers: all but progress. */
  get answers(): Message[] {
    return this.messages.filter(({ event }) => event !== 'progress');
  }

  /** Waits for the answer number `count`. */
  async answer(count: number): Promise<Message> {
    await this.#until(() => this.answers.length >= count, `answer ${count}`);
    return this.answers[count - 1]!;
  }

  /** Waits until an object is under way. */
  async moving(): Promise<void> {
    await this.#until(() => this.messages.some(({ event }) => event === 'progress'), 'progress');
  }

  /** Ends the session as git-lfs does, and gives all answers. */
  async finish(): Promise<Message[]> {
    await this.#until(() => this.#ended || this.#allAnswered, 'end of answers');
    this.send(TERMINATE);
    await this.gone();
    return this.answers;
  }

  /** Waits for the end of the process. @throws when it takes longer, or when stdout carried anything but messages. */
  async gone(milliseconds = FOREVER): Promise<End> {
    const late = sleep(milliseconds, undefined, { ref: false }).then(() => {
      throw new Error(`the agent is still there after ${milliseconds} ms`);
    });
    const end = await Promise.race([this.end, late]);
    if (this.strays.length > 0) throw new Error(`not a message: ${this.strays[0]?.slice(0, 200)}`);
    return end;
  }

  /** Every line that says something is answered once. */
  get #allAnswered(): boolean {
    const lines = Buffer.concat(this.#sent).toString('utf8').split('\n');
    return this.answers.length >= lines.filter((line) => line.trim() !== '').length;
  }

  async #until(reached: () => boolean, what: string): Promise<void> {
    for (const start = Date.now(); !reached(); await sleep(2)) {
      if (this.#ended || Date.now() - start > FOREVER) {
        throw new Error(`no ${what} ${this.#ended ? 'before the agent ended' : 'for long'}\n${this.stderr}`);
      }
    }
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const message = parse(line);
      if (typeof message === 'object' && message !== null && !Array.isArray(message)) this.messages.push(message);
      else this.strays.push(line);
    }
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
