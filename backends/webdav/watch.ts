import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Timeouts } from './options.ts';

/** Ends a request on which nothing moves for too long; what is too long depends on what is being done. */
export interface Watch {
  /** A byte of a body moved. */
  moving(): void;
  /** The request is sent. */
  waiting(): void;
  receiving(stream: IncomingMessage): void;
  stop(): void;
}

/** Watches from the first packet on; whoever moves the request tells what it is doing. */
export function watchOver(request: ClientRequest, timeouts: Timeouts): Watch {
  let timer: NodeJS.Timeout | undefined;
  let limit = 0;
  let reason = '';
  let over = false;
  const allow = (milliseconds: number, why: string): void => {
    if (over) return;
    if (timer && limit === milliseconds && reason === why) return void timer.refresh();
    clearTimeout(timer);
    timer = undefined;
    limit = milliseconds;
    reason = why;
    if (milliseconds === Number.POSITIVE_INFINITY) return;
    timer = setTimeout(() => request.destroy(timeout(why, milliseconds)), milliseconds);
  };
  const stop = (): void => {
    over = true;
    clearTimeout(timer);
  };
  let phase: () => void = () => {};
  let connected = false;
  const now = (next: () => void): void => {
    phase = next;
    if (connected) phase();
  };
  allow(timeouts.connect, 'no connection could be made');
  request.once('socket', (socket) => {
    const go = (): void => {
      connected = true;
      phase();
    };
    if (!socket.connecting) go();
    else socket.once('getSession' in socket ? 'secureConnect' : 'connect', go);
  });
  request.once('close', stop);
  return {
    moving: () => now(() => allow(timeouts.idle, 'not a byte has moved')),
    waiting: () => now(() => allow(timeouts.answer, 'the server has not answered')),
    receiving: (stream) => {
      now(() => {});
      clearTimeout(timer);
      stream.once('close', stop);
      if (timeouts.idle === Number.POSITIVE_INFINITY) return;
      // Looked at from time to time: a listener for its data would make the stream flow.
      let read = -1;
      const look = (): void => {
        // Whoever takes the bytes may let the stream wait: then it is not the server that is idle. Not `isPaused`, which is
        // always so for a stream that is read by `for await`.
        const waited = stream.readableLength > 0 || stream.complete;
        if (!waited && stream.socket.bytesRead === read) stream.destroy(timeout('not a byte has come', timeouts.idle));
        read = stream.socket.bytesRead;
      };
      timer = setInterval(look, timeouts.idle);
      timer.unref();
    },
    stop,
  };
}

function timeout(why: string, milliseconds: number): Error {
  return Object.assign(new Error(`${why} for ${Math.round(milliseconds / 1000)} seconds`), { code: 'ETIMEDOUT' });
}
