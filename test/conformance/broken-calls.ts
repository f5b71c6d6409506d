// A fake: the calls of the folder backend, some of which fail as a share makes them fail. No share that fails to order can
// be had in a test.
import { existsSync } from 'node:fs';
import { type Calls, WAITING } from '../../backends/folder/calls.ts';

export interface Break {
  call: keyof Calls;
  code: string;
  /** How often; default: for ever. */
  times?: number;
  /** Only where a path of the call has this in it. */
  path?: string;
}

export interface BrokenCalls {
  calls: Calls;
  /** How often a call was made that was to fail. */
  met: number;
  /** From now on, no call fails. */
  mend(): void;
  /** Files that a rename was about to replace: on SMB, that was seen to lose them. */
  renamedOver: string[];
}

/** Calls that are waited for, of which those fail that are in the list. */
export function brokenCalls(list: Break[]): BrokenCalls {
  const breaks = list.map((one) => ({ ...one, left: one.times ?? Number.POSITIVE_INFINITY }));
  const made: BrokenCalls = {
    calls: WAITING,
    met: 0,
    mend: () => {
      breaks.length = 0;
    },
    renamedOver: [],
  };
  const failing = (call: keyof Calls, args: unknown[]): Error | undefined => {
    const found = breaks.find((one) => {
      return (
        one.call === call &&
        one.left > 0 &&
        (one.path === undefined || args.some((arg) => `${arg}`.includes(one.path!)))
      );
    });
    if (!found) return undefined;
    found.left--;
    made.met++;
    return Object.assign(new Error(`${found.code}: as a test wants it, ${call} '${args[0]}'`), { code: found.code });
  };
  const entries = Object.entries(WAITING).map(([name, work]) => {
    if (typeof work !== 'function') return [name, work];
    const broken = async (...args: unknown[]): Promise<unknown> => {
      const error = failing(name as keyof Calls, args);
      if (error) throw error;
      if (name === 'rename' && existsSync(`${args[1]}`)) made.renamedOver.push(`${args[1]}`);
      return (work as (...args: unknown[]) => unknown)(...args);
    };
    return [name, broken];
  });
  made.calls = Object.fromEntries(entries) as unknown as Calls;
  return made;
}
