import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** A Git LFS server as others have them, on loopback, that keeps objects in memory. */
export async function startLfsServer() {
  const objects = new Map<string, Buffer>();
  const server = createServer(async (request, response) => {
    const body = await buffer(request);
    const oid = request.url?.startsWith('/objects/') ? request.url.slice('/objects/'.length) : undefined;
    if (oid === 'batch') {
      const { operation, objects: wanted } = JSON.parse(body.toString()) as {
        operation: string;
        objects: { oid: string; size: number }[];
      };
      const answer = wanted.map((object) => ({
        ...object,
        actions: { [operation]: { href: `${url()}/objects/${object.oid}` } },
      }));
      response.setHeader('Content-Type', 'application/vnd.git-lfs+json');
      response.end(JSON.stringify({ transfer: 'basic', objects: answer }));
    } else if (oid && request.method === 'PUT') {
      objects.set(oid, body);
      response.end();
    } else if (oid && objects.has(oid)) {
      response.end(objects.get(oid));
    } else {
      response.statusCode = 404; // Locks too: git-lfs then goes on without them.
      response.end();
    }
  });
  const url = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { url: url(), objects, stop };
}
