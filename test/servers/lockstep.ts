// A fake of distance: it stands before a real server and lets requests through in rounds, so that a test sees which of them
// a client sends at once, and how often it waits for answers.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { flow, openUpstream, relayHead, responseOf } from './forward.ts';

export interface RoundRequest {
  readonly method: string;
  /** Of the URL. */
  readonly path: string;
  readonly status: number;
}

export interface Lockstep {
  /** The target's URL, with this one's host and port. */
  readonly url: string;
  /** Takes what came since the last call: each round holds the requests that were under way together. */
  take(): RoundRequest[][];
  stop(): Promise<void>;
}

/** Milliseconds without a new request after which a round is complete. */
const QUIET = 100;

/** Starts one before the http: URL `target`. All answers of a round are given in one moment, once the last of them is there. */
export async function startLockstep(target: string): Promise<Lockstep> {
  const { origin, pathname } = new URL(target);
  let held: { request: IncomingMessage; response: ServerResponse }[] = [];
  let rounds: RoundRequest[][] = [];
  let timer: NodeJS.Timeout | undefined;

  async function letThrough(): Promise<void> {
    const round = held;
    held = [];
    const answers = await Promise.all(
      round.map(async ({ request }) => {
        const upstream = openUpstream(request, origin);
        await flow(request, upstream);
        upstream.end();
        const answer = await responseOf(upstream);
        if (!answer) throw new Error(`${origin} hung up`);
        return answer;
      }),
    );
    // They are all on their way before the first is given back.
    await pause(1);
    rounds.push(
      round.map(({ request: { method = '', url = '' } }, index) => {
        return { method, path: url, status: answers[index]?.statusCode ?? 0 };
      }),
    );
    await Promise.all(
      round.map(async ({ response }, index) => {
        const answer = answers[index] as IncomingMessage;
        relayHead(answer, response);
        await flow(answer, response);
        response.end();
      }),
    );
  }

  const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
    held.push({ request, response });
    clearTimeout(timer);
    timer = setTimeout(() => {
      letThrough().catch(() => server.closeAllConnections());
    }, QUIET);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${pathname.replace(/\/$/, '')}`,
    take: () => {
      const taken = rounds;
      rounds = [];
      return taken;
    },
    async stop() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
