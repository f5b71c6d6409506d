import type { Plan, SeenRequest } from '../servers/fault-proxy.ts';
import type { Fault } from '../servers/faults.ts';

/** A fault that depends on the request that meets it. */
export type ForRequest = (request: SeenRequest) => Fault;

/** A plan for a fault proxy that a test changes as it goes on. */
export interface Script {
  readonly plan: Plan;
  /** From now on, so many of the requests that fit meet the fault, and all others none. Default: all that fit. */
  fault(fits: string | ((request: SeenRequest) => boolean), fault: Fault | ForRequest, times?: number): void;
  /** From now on none does. */
  calm(): void;
  /** How many met the last fault. */
  met(): number;
}

/** Begins calm. What fits may be named by its method. */
export function writeScript(): Script {
  let fits: (request: SeenRequest) => boolean = () => false;
  let fault: Fault | ForRequest | undefined;
  let left = 0;
  let met = 0;
  return {
    plan: (request) => {
      if (left === 0 || !fits(request)) return undefined;
      left--;
      met++;
      return typeof fault === 'function' ? fault(request) : fault;
    },
    fault(what, next, times = Number.POSITIVE_INFINITY) {
      fits = typeof what === 'string' ? ({ method }) => method === what : what;
      fault = next;
      left = times;
      met = 0;
    },
    calm() {
      left = 0;
    },
    met: () => met,
  };
}
