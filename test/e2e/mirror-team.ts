import { existsSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { filesBelow, type Result, Sandbox } from '../sandbox.ts';
import { startApache } from '../servers/apache.ts';
import { startLatencyProxy } from '../servers/latency-proxy.ts';
import { PASSWORD, USER } from '../servers/server.ts';
import { oidOf } from './objects.ts';
import { sessionMembers } from './processes.ts';
import { hurry } from './web-team.ts';

/** One of the places of a team, which can be taken away and brought back. */
export interface Spot {
  readonly location: string;
  /** Where it lies on this disk while it is there. */
  readonly folder: string;
  takeAway(): Promise<void>;
  bringBack(): Promise<void>;
}

/** `Apache far away`: it answers later than one that is near. */
export type SpotKind = 'a folder' | 'Apache' | 'Apache far away';

/** Milliseconds each way. */
const FAR = 100;

/** Alice has a clone whose objects are kept in a store and a mirror; nothing is pushed yet. */
export class MirrorTeam {
  readonly box = new Sandbox();
  store!: Spot;
  mirror!: Spot;
  readonly #servers: { stop(): Promise<void> }[] = [];

  /** @param settings for `.lfsdepot`: `depot.write` and the like. */
  static async start(store: SpotKind, mirror: SpotKind, settings: Record<string, string> = {}): Promise<MirrorTeam> {
    const team = new MirrorTeam();
    try {
      await team.#make(store, mirror, settings);
    } catch (error) {
      await team.end();
      throw error;
    }
    return team;
  }

  async #make(store: SpotKind, mirror: SpotKind, settings: Record<string, string>): Promise<void> {
    const { box } = this;
    await hurry(box);
    // One password for all servers, whichever is asked for.
    const helper = `!f() { echo username=${USER}; echo password=${PASSWORD}; }; f`;
    await box.git('.', 'config', '--global', 'credential.helper', helper);
    this.store = await this.spot(store, 'store');
    this.mirror = await this.spot(mirror, 'mirror');
    await box.team(this.store.location);
    await box.depot('alice', 'mirror', 'add', this.mirror.location);
    for (const [key, value] of Object.entries(settings)) {
      await box.git('alice', 'config', '--file', '.lfsdepot', key, value);
    }
    await box.git('alice', 'add', '.lfsdepot');
    await box.git('alice', 'commit', '-qm', 'mirror');
  }

  /** A place that nothing stands at yet. */
  async spot(kind: SpotKind, name: string): Promise<Spot> {
    if (kind === 'a folder') {
      const folder = this.box.path(name);
      const away = `${folder} (away)`;
      const takeAway = async () => renameSync(folder, away);
      const bringBack = async () => renameSync(away, folder);
      return { location: folder, folder, takeAway, bringBack };
    }
    const server = await startApache();
    this.#servers.push(server);
    const proxy = kind === 'Apache far away' ? await startLatencyProxy(server.url, FAR) : undefined;
    if (proxy) this.#servers.push(proxy);
    return {
      location: `${(proxy ?? server).url}/${name}`,
      folder: join(server.root, name),
      takeAway: () => server.kill(),
      bringBack: () => server.restart(),
    };
  }

  /** Commits `count` new objects of Alice's, and gives their oids. */
  async commit(count: number, size = 1000): Promise<string[]> {
    const batch = ++this.#batches;
    const oids: string[] = [];
    for (let n = 0; n < count; n++) {
      oids.push(oidOf(readFileSync(this.box.write(`alice/${batch}/${n}.bin`, size))));
    }
    await this.box.git('alice', 'add', '.');
    await this.box.git('alice', 'commit', '-qm', `${count} objects`);
    return oids.sort();
  }
  #batches = 0;

  push(): Promise<Result> {
    return this.box.run('git', ['push', '-q', 'origin', 'HEAD'], { cwd: 'alice' });
  }

  clone(name = 'bob'): Promise<Result> {
    return this.box.run('git', ['clone', '-q', 'remote.git', name]);
  }

  /** Starts git in a session of its own. */
  start(cwd: string, ...args: string[]): Running {
    const child = this.box.start('git', args, { cwd, detached: true });
    const leader = child.pid!;
    this.#started.push(leader);
    const out: string[] = [];
    const err: string[] = [];
    child.stdout?.on('data', (chunk) => out.push(String(chunk)));
    child.stderr?.on('data', (chunk) => err.push(String(chunk)));
    child.stdin?.end();
    const result = new Promise<Result>((done, fail) => {
      child.on('error', fail);
      child.on('close', (status, signal) => done({ status, signal, stdout: out.join(''), stderr: err.join('') }));
    });
    const send = (signal: NodeJS.Signals) => (): void => {
      for (const pid of sessionMembers(leader)) sendTo(pid, signal);
    };
    return { result, members: () => sessionMembers(leader), hold: send('SIGSTOP'), goOn: send('SIGCONT') };
  }
  readonly #started: number[] = [];

  async end(): Promise<void> {
    for (const pid of this.#started.flatMap(sessionMembers)) sendTo(pid, 'SIGKILL');
    for (const server of this.#servers) await server.stop();
    this.box.remove();
  }
}

/** Who was there a moment ago may have ended. */
function sendTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The oids that a store holds, each with the bytes that its name promises. What killed writers left in `tmp` does not count. */
export function heldBy({ folder }: Pick<Spot, 'folder'>): string[] {
  const paths = filesBelow(folder).filter((path) => path !== 'lfs-depot.json' && !path.startsWith('tmp/'));
  return paths
    .map((path) => {
      const oid = path.slice(path.lastIndexOf('/') + 1);
      expect(oidOf(readFileSync(join(folder, path)))).toBe(oid);
      return oid;
    })
    .sort();
}

/** How many objects lie in a folder that others work in, whole or not. */
export function countIn(folder: string): number {
  const namesIn = (path: string): string[] => (existsSync(path) ? readdirSync(path) : []);
  const inner = namesIn(folder)
    .filter((name) => /^[0-9a-f]{2}$/.test(name))
    .flatMap((name) => namesIn(join(folder, name)).map((next) => join(folder, name, next)));
  return inner.reduce((sum, path) => sum + namesIn(path).length, 0);
}

/** A command in a session of its own, which can be looked at while it runs, and held in the middle. */
export interface Running {
  result: Promise<Result>;
  /** The processes of it that live. */
  members(): number[];
  /** Stops all of them where they are. */
  hold(): void;
  goOn(): void;
}
