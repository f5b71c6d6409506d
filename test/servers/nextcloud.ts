// An imitation of the WebDAV part of Nextcloud: the real one needs a database, a cache and an installation.
//
// Imitated, from its documentation of chunked upload v2 and from what its sources do:
// - status.php, Basic authentication with its realm, errors as its XML;
// - remote.php/dav/files/<user>: a real sabre/dav, on which Nextcloud is built, with real files;
// - remote.php/dav/uploads/<user>/<id>: MKCOL, PUT of chunks, PROPFIND with `.file` in it, MOVE of `.file`, DELETE; the
//   limits of names and sizes; chunks in the order of their numbers; OC-Total-Length; 405 for reading a chunk;
// - on demand: 423, a proxy's 413 and 504 in nginx's words, and an assembly that goes on behind that 504.
// Stricter than the real one: it always wants a Destination with MKCOL, PUT and MOVE, and 5 MiB of all chunks but the last;
// without a shared cache, or without object storage, the real one falls back to version 1, which takes anything.
// Not imitated: quotas (507), the 24 hours of an upload, the slow-down after wrong passwords, app passwords, two-factor
// authentication, checksums, trash and versions, X-OC-Mtime, oc: properties, locks on reading.
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { page } from './faults.ts';
import { flow, openUpstream, relayHead, responseOf } from './forward.ts';
import { type Outcome, uploadsIn } from './nextcloud-uploads.ts';
import { startSabre } from './sabre.ts';
import { type DavServer, PASSWORD, USER } from './server.ts';

export interface NextcloudOptions {
  /** The path it is installed at, such as /cloud; without a slash at the end. */
  at?: string;
  /** The largest body, in bytes, that the proxy before it takes; above it 413. */
  bodyLimit?: number;
}

/** Its `url` is that of the user's files. */
export interface Nextcloud extends DavServer {
  /** Without a slash at the end. */
  readonly uploadsUrl: string;
  readonly requests: { method: string; path: string; status: number }[];
  /** The ids of uploads that are neither assembled nor aborted. */
  uploads(): Promise<string[]>;
  /** The next so many PUTs and MOVEs are told 423. */
  lock(count: number): void;
  /** The next assembly takes so many milliseconds; its MOVE is told 504 at once, and others 423 in the meantime. */
  timeOut(milliseconds: number): void;
}

const AUTHORIZATION = `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}`;

export async function startNextcloud({ at = '', bodyLimit }: NextcloudOptions = {}): Promise<Nextcloud> {
  const filesBase = `${at}/remote.php/dav/files/${USER}`;
  const uploadsBase = `${at}/remote.php/dav/uploads/${USER}`;
  const sabre = await startSabre(filesBase);
  const { origin } = new URL(sabre.url);
  const folder = join(dirname(sabre.root), 'uploads');
  mkdirSync(folder);
  const uploads = uploadsIn(folder, sabre.adopt);
  const requests: Nextcloud['requests'] = [];
  const trouble = { locks: 0, slow: 0, assembling: 0 };

  /** The place on disk of a URL or path among the files; undefined for any other. */
  const targetOf = (destination: string): string | undefined => {
    const { pathname } = new URL(destination, origin);
    if (!pathname.startsWith(`${filesBase}/`)) return undefined;
    return join(sabre.root, decodeURIComponent(pathname.slice(filesBase.length)));
  };

  const assemble = async (id: string, request: IncomingMessage, target: string): Promise<Outcome> => {
    if (trouble.assembling > 0) return { status: 423, message: `"${id}" is locked` };
    const total = request.headers['oc-total-length'];
    const overwrite = request.headers.overwrite !== 'F';
    const { slow } = trouble;
    const work = async (): Promise<Outcome> => {
      trouble.assembling++;
      try {
        await pause(slow);
        return await uploads.assemble(id, target, total === undefined ? undefined : Number(total), overwrite);
      } finally {
        trouble.assembling--;
      }
    };
    if (slow === 0) return work();
    trouble.slow = 0;
    void work();
    return { status: 504 };
  };

  const upload = async (request: IncomingMessage, path: string): Promise<Outcome> => {
    const { method, headers } = request;
    const [id = '', name] = path
      .slice(uploadsBase.length + 1)
      .split('/')
      .filter((part) => part !== '');
    if (method === 'PROPFIND') return uploads.list(id, `${uploadsBase}/${id}`);
    if (method === 'DELETE' && name === undefined) return uploads.abort(id);
    if (method === 'GET' || method === 'HEAD')
      return { status: 405, message: 'Reading intermediate uploads is not allowed' };
    const target = headers.destination && targetOf(String(headers.destination));
    if (!target) return { status: 400, message: 'The destination header was not supplied, or not among the files' };
    if (method === 'MKCOL' && name === undefined) return uploads.begin(id);
    if (method === 'PUT' && name !== undefined) return uploads.receive(id, name, request);
    if (method === 'MOVE' && name === '.file') return assemble(id, request, target);
    return { status: 405, message: 'Not in an upload' };
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<number> => {
    const { method = '', url: path = '', headers } = request;
    if (bodyLimit !== undefined && Number(headers['content-length'] ?? 0) > bodyLimit) {
      // The proxy reads no such body.
      return reply(response, 413, 'text/html', page(413, 'Request Entity Too Large'), { connection: 'close' });
    }
    if (path === `${at}/status.php`) return reply(response, 200, 'application/json', JSON.stringify(STATUS));
    if (headers.authorization !== AUTHORIZATION) {
      const challenge = { 'www-authenticate': 'Basic realm="Nextcloud", charset="UTF-8"' };
      return fail(response, { status: 401, message: 'No public access to this resource.' }, challenge);
    }
    if (trouble.locks > 0 && (method === 'PUT' || method === 'MOVE')) {
      trouble.locks--;
      return fail(response, { status: 423, message: `"${path}" is locked` });
    }
    if (path.startsWith(`${filesBase}/`) || path === filesBase) return files(request, response, origin);
    if (!path.startsWith(`${uploadsBase}/`)) return fail(response, { status: 404, message: 'File not found' });
    const outcome = await upload(request, path);
    if (outcome.body !== undefined)
      return reply(response, outcome.status, 'application/xml; charset=utf-8', outcome.body);
    if (outcome.status === 504) return reply(response, 504, 'text/html', page(504, 'Gateway Time-out'));
    if (outcome.status >= 400) return fail(response, outcome);
    return reply(response, outcome.status, 'text/html; charset=UTF-8', '');
  };

  const server = createServer({ requestTimeout: 0 }, (request, response) => {
    const { method = '', url: path = '' } = request;
    const seen = { method, path, status: 0 };
    requests.push(seen);
    serve(request, response)
      .then((status) => {
        seen.status = status;
        request.resume();
      })
      .catch(() => request.socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const here = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    ...sabre,
    name: 'nextcloud',
    url: `${here}${filesBase}`,
    uploadsUrl: `${here}${uploadsBase}`,
    requests,
    uploads: () => uploads.ids(),
    lock: (count) => {
      trouble.locks = count;
    },
    timeOut: (milliseconds) => {
      trouble.slow = milliseconds;
    },
    async stop() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
      await sabre.stop();
    },
  };
}

const STATUS = {
  installed: true,
  maintenance: false,
  needsDbUpgrade: false,
  version: '31.0.4.1',
  versionstring: '31.0.4',
  edition: '',
  productname: 'Nextcloud',
  extendedSupport: false,
};

/** Hands a request to the real server of files. */
async function files(request: IncomingMessage, response: ServerResponse, origin: string): Promise<number> {
  const upstream = openUpstream(request, origin);
  response.on('close', () => upstream.destroy());
  const answered = responseOf(upstream);
  flow(request, upstream).then(
    () => upstream.end(),
    () => upstream.destroy(),
  );
  const answer = await answered;
  if (!answer) throw new Error('the server of files hung up');
  relayHead(answer, response);
  response.flushHeaders();
  await flow(answer, response);
  response.end();
  return answer.statusCode ?? 0;
}

function fail(response: ServerResponse, { status, message = '' }: Outcome, headers = {}): number {
  const text = message.replace(/[<>&]/g, (character) => `&#${character.charCodeAt(0)};`);
  const error = `<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns"><s:message>${text}</s:message></d:error>`;
  return reply(response, status, 'application/xml; charset=utf-8', `<?xml version="1.0"?>\n${error}\n`, headers);
}

function reply(response: ServerResponse, status: number, type: string, body: string, headers = {}): number {
  const length = Buffer.byteLength(body);
  response.writeHead(status, { 'content-type': type, 'content-length': length, ...headers });
  response.end(response.req.method === 'HEAD' ? '' : body);
  return status;
}
