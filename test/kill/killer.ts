import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { randomNumbers } from '../random-numbers.ts';
import type { Sandbox } from '../sandbox.ts';
import { killByPid, MARK, markedProcesses, type Process, stillThere } from './marked-processes.ts';

export const TARGETS = ['one agent', 'all agents', 'git-lfs'] as const;
export type Target = (typeof TARGETS)[number];

interface Command {
  mark: string;
  ended: boolean;
  status: Promise<number | null>;
}

let marks = 0;

/** Runs git commands in the clones of a sandbox, and kills what they start at random moments. */
export class Killer {
  readonly random: () => number;
  readonly #box: Sandbox;
  readonly #seed: number;
  /** Milliseconds from the first agent to the end of what is killed. */
  #whole = 0;

  constructor(box: Sandbox, seed: number) {
    this.#box = box;
    this.#seed = seed;
    this.random = randomNumbers(seed);
  }

  /** Rounds until so many killed something. A round is told which kill its own would be, and gives how many processes it killed. */
  async repeat(wanted: number, round: (target: Target, kills: number) => Promise<number>): Promise<void> {
    let processes = 0;
    let kills = 0;
    for (let rounds = 0; kills < wanted; rounds++) {
      if (rounds > 3 * wanted + 10) throw new Error(`only ${kills} of ${rounds} rounds met what they should kill`);
      const target = TARGETS[rounds % TARGETS.length]!;
      try {
        const killed = await round(target, kills + 1);
        processes += killed;
        if (killed > 0) kills++;
      } catch (error) {
        throw new Error(`round ${rounds}, ${target}, KILL_SEED=${this.#seed}`, { cause: error });
      }
    }
    console.log(`${kills} kills of ${processes} processes`);
  }

  /** Takes the time of a command like those that will be killed; it must succeed. */
  async measure(clone: string, args: string[]): Promise<void> {
    const command = this.#start(clone, args);
    await firstAgent(command);
    const began = Date.now();
    expect(await command.status).toBe(0);
    this.#whole = Date.now() - began;
  }

  /** Kills the target at a random moment; gives how many processes that were. Nothing of the command stays. */
  async killDuring(clone: string, args: string[], target: Target): Promise<number> {
    const command = this.#start(clone, args);
    try {
      await firstAgent(command);
      await sleep(this.random() * this.#whole);
      let killed: Process[] = [];
      while (killed.length === 0 && !command.ended) {
        killed = this.#choose(target, markedProcesses(command.mark)).filter(({ pid }) => killByPid(pid));
        if (killed.length === 0) await sleep(5);
      }
      // What was measured had more to do, or came when the machine was busy: three of four rounds are to meet something.
      this.#whole *= killed.length === 0 ? 0.9 : 1.035;
      // An agent that outlives git-lfs is not forgiven: it stops by itself.
      expect((await stillThere(command.mark, 5000, killed)).map(({ command: text }) => text)).toEqual([]);
      return killed.length;
    } finally {
      for (const { pid } of markedProcesses(command.mark)) killByPid(pid);
      await command.status;
    }
  }

  #start(clone: string, args: string[]): Command {
    const mark = `${process.pid}-${marks++}`;
    const child = this.#box.start('git', args, { cwd: clone, env: { [MARK]: mark }, stdio: 'ignore' });
    const command: Command = {
      mark,
      ended: false,
      status: new Promise((resolve, reject) => {
        child.on('error', reject);
        child.on('exit', (status) => {
          command.ended = true;
          resolve(status);
        });
      }),
    };
    return command;
  }

  #choose(target: Target, there: Process[]): Process[] {
    if (target === 'git-lfs') return there.filter(({ kind }) => kind === 'git-lfs');
    const agents = there.filter(({ kind }) => kind === 'agent');
    const all = agents.length > 0 ? agents : there.filter(({ kind }) => kind === 'waiting');
    return target === 'all agents' ? all : all.slice(Math.floor(this.random() * all.length)).slice(0, 1);
  }
}

async function firstAgent(command: Command): Promise<void> {
  const there = () => markedProcesses(command.mark).some(({ kind }) => kind === 'agent' || kind === 'waiting');
  while (!command.ended && !there()) await sleep(5);
}
