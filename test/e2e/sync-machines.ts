import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Result, Sandbox } from '../sandbox.ts';
import { type ApacheServer, startApache } from '../servers/apache.ts';
import { isInstalled } from '../servers/installed.ts';
import { knowPassword } from './web-team.ts';

export type Kind = 'a folder' | 'Apache';
export const KINDS: Kind[] = isInstalled('apache') ? ['a folder', 'Apache'] : ['a folder'];

/** Where objects are kept, and where that lies on this disk. */
export interface Place {
  location: string;
  folder: string;
}

/** The computers of Alice and Bob, each with a clone of one repository, `alice` and `bob`. All places are of one kind. */
export class Machines {
  readonly alice = new Sandbox();
  readonly bob = new Sandbox();
  readonly #more: Sandbox[] = [];
  #server: ApacheServer | undefined;
  store!: Place;

  static async start(kind: Kind): Promise<Machines> {
    const machines = new Machines();
    try {
      if (kind === 'Apache') machines.#server = await startApache();
      await machines.#ready(machines.alice);
      await machines.#ready(machines.bob);
      machines.store = machines.place('store');
      await machines.alice.team(machines.store.location);
      await machines.alice.git('alice', 'push', '-q', 'origin', 'HEAD');
      await machines.#join(machines.bob, 'main', 'bob');
      return machines;
    } catch (error) {
      await machines.end();
      throw error;
    }
  }

  place(name: string): Place {
    const server = this.#server;
    if (!server) return { location: this.alice.path(name), folder: this.alice.path(name) };
    return { location: `${server.url}/${name}`, folder: join(server.root, name) };
  }

  /** What a branch is for somebody new, on a computer of their own: the folder of the clone. */
  async freshClone(branch: string): Promise<string> {
    const box = new Sandbox();
    this.#more.push(box);
    await this.#ready(box);
    await this.#join(box, branch, 'clone');
    return box.path('clone');
  }

  async #ready(box: Sandbox): Promise<void> {
    if (this.#server) await knowPassword(box, this.#server.url);
  }

  async #join(box: Sandbox, branch: string, folder: string): Promise<void> {
    await box.depot('.', 'install');
    await box.depot('.', 'trust', this.store.location);
    await box.git('.', 'clone', '-q', '-b', branch, this.alice.path('remote.git'), folder);
  }

  async end(): Promise<void> {
    await this.#server?.stop();
    for (const box of [this.alice, this.bob, ...this.#more]) rmSync(box.root, { recursive: true, force: true });
  }
}

/** What `lfs-depot sync --json` prints. */
export interface SyncReport {
  deliveries: { location: string; delivered: number; present: number; failed: unknown[]; error?: string }[];
  objects: number;
  places: { location: string; brought: number; bytes: number; failed: { oid: string }[]; error?: string }[];
  nowhere: string[];
  unlisted: { location: string; error: string }[];
  refused: { location: string; error: string }[];
}

/** @throws an Error unless stdout is JSON, and nothing else. */
export function reportOf({ stdout }: Result): SyncReport {
  return JSON.parse(stdout) as SyncReport;
}
