import { once } from 'node:events';
import { request } from 'node:http';
import { request as requestEncrypted } from 'node:https';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { fromNetwork } from '../../backends/webdav/failures.ts';
import { freePorts } from '../servers/free-ports.ts';

/** The error of Node's for a name with two addresses, on which nothing listens. */
async function refusedTwice(port: number): Promise<unknown> {
  const addresses = ['127.0.0.1', '127.0.0.2'].map((address) => ({ address, family: 4 }));
  const asking = request({ host: 'two.example.com', port, lookup: (_, __, done) => done(null, addresses) });
  asking.end();
  return new Promise((resolve) => asking.on('error', resolve));
}

test('of a name with several addresses each is told', async () => {
  const [port = 0] = await freePorts(1);
  const { kind, why, cure, temporary } = fromNetwork(
    await refusedTwice(port),
    'cannot look',
    `two.example.com:${port}`,
  );
  expect(why).toBe(`connect ECONNREFUSED 127.0.0.1:${port}, connect ECONNREFUSED 127.0.0.2:${port}`);
  expect({ kind, temporary }).toEqual({ kind: 'unreachable', temporary: true });
  expect(cure).toContain(`is two.example.com:${port} running`);
});

test('what a proxy does not answer is not laid to the server', async () => {
  const [port = 0] = await freePorts(1);
  const { cure } = fromNetwork(await refusedTwice(port), 'cannot look', 'dav.example.com', `two.example.com:${port}`);
  expect(cure).toContain(`the proxy two.example.com:${port} does not answer`);
});

test('what comes of a port that speaks no TLS is told without the words of OpenSSL', async () => {
  const server = createServer((socket) => socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const asking = requestEncrypted({ host: '127.0.0.1', port });
  asking.end();
  const [error] = await once(asking, 'error').catch((thrown) => [thrown]);
  const { why, cure, temporary } = fromNetwork(error, 'cannot look', `127.0.0.1:${port}`);
  server.close();
  expect(why).toBe('wrong version number');
  expect(cure).toContain('is it https at that port');
  expect(temporary).toBe(false);
});
