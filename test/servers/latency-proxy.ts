// A fake of distance: every byte through it arrives later, in each direction, however many there are.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

export interface LatencyProxy {
  /** The target's URL, with the proxy's host and port. */
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Starts one before the URL `target`, TLS or not. A byte takes `delay` milliseconds each way, and a new connection one
 * round trip more, as its handshake would. Limits no bandwidth.
 */
export async function startLatencyProxy(target: string, delay: number): Promise<LatencyProxy> {
  const { protocol, hostname, port, pathname } = new URL(target);
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect({
      host: hostname,
      port: Number(port || (protocol === 'https:' ? 443 : 80)),
      allowHalfOpen: true,
    });
    const open = performance.now() + 2 * delay;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    }
    carry(client, upstream, delay, open);
    carry(upstream, client, delay, open);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `${protocol}//127.0.0.1:${(server.address() as AddressInfo).port}${pathname.replace(/\/$/, '')}`,
    async stop() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** What may be on its way at once, in bytes; a distance of 100 ms needs 125 MB for 10 Gbit/s. */
const IN_FLIGHT = 256 * 1024 * 1024;

/** Moves what comes from one socket to the other, each piece `delay` after it came, and none before `open`. */
function carry(from: Socket, to: Socket, delay: number, open: number): void {
  let flying = 0;
  let line = Promise.resolve(); // Timers alone do not keep the order.
  const later = (deed: () => void): void => {
    const due = Math.max(performance.now(), open) + delay;
    line = line.then(async () => {
      const rest = due - performance.now();
      if (rest > 0) await pause(rest);
      deed();
    });
  };
  from.on('data', (chunk: Buffer) => {
    flying += chunk.length;
    if (flying > IN_FLIGHT) from.pause();
    later(() => {
      if (to.destroyed) return;
      to.write(chunk, () => {
        flying -= chunk.length;
        if (from.isPaused() && flying < IN_FLIGHT) from.resume();
      });
    });
  });
  from.on('end', () => later(() => to.end()));
  from.on('close', (hadError) => later(() => (hadError ? to.resetAndDestroy() : to.destroySoon())));
}
