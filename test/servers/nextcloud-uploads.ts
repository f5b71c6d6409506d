import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** Bytes that each chunk but the last must have at least, and that any may have. */
export const CHUNK_MIN = 5 * 1024 * 1024;
const CHUNK_MAX = 5 * 1024 * 1024 * 1024;
const CHUNK_COUNT = 10_000;

/** What a request comes to: a status with the words of Nextcloud's error, if it is one. */
export interface Outcome {
  status: number;
  message?: string;
  /** XML, for 207. */
  body?: string;
}

/** The uploads of one user, each a folder of chunks in `folder`. Paths of targets are those on disk. */
export interface Uploads {
  begin(id: string): Promise<Outcome>;
  receive(id: string, name: string, request: IncomingMessage): Promise<Outcome>;
  list(id: string, href: string): Promise<Outcome>;
  /** @param total what OC-Total-Length says; undefined without one. */
  assemble(id: string, target: string, total: number | undefined, overwrite: boolean): Promise<Outcome>;
  abort(id: string): Promise<Outcome>;
  /** Those that stand. */
  ids(): Promise<string[]>;
}

export function uploadsIn(folder: string, adopt: (path: string) => void): Uploads {
  const NO_UPLOAD: Outcome = { status: 404, message: 'File not found: uploads' };
  const stands = (path: string): Promise<boolean> =>
    stat(path).then(
      () => true,
      () => false,
    );
  const chunksOf = async (id: string): Promise<{ name: string; path: string; size: number }[]> => {
    const names = (await readdir(join(folder, id))).filter((name) => /^\d+$/.test(name));
    names.sort((one, other) => Number(one) - Number(other));
    const paths = names.map((name) => ({ name, path: join(folder, id, name) }));
    return Promise.all(paths.map(async ({ name, path }) => ({ name, path, size: (await stat(path)).size })));
  };
  return {
    async begin(id) {
      if (await stands(join(folder, id)))
        return { status: 405, message: 'The resource you tried to create already exists' };
      await mkdir(join(folder, id), { recursive: true });
      return { status: 201 };
    },

    async receive(id, name, request) {
      if (!(await stands(join(folder, id)))) return NO_UPLOAD;
      const number = /^\d+$/.test(name) ? Number(name) : -1;
      if (number < 1 || number > CHUNK_COUNT) {
        return { status: 400, message: 'Invalid chunk name, must be numeric between 1 and 10000' };
      }
      if (Number(request.headers['content-length']) > CHUNK_MAX)
        return { status: 400, message: 'The chunk is too large' };
      const arriving = join(folder, id, `.arriving-${name}-${process.hrtime.bigint()}`);
      try {
        await pipeline(request, createWriteStream(arriving));
        await rename(arriving, join(folder, id, name));
      } finally {
        await rm(arriving, { force: true });
      }
      return { status: 201 };
    },

    async list(id, href) {
      if (!(await stands(join(folder, id)))) return NO_UPLOAD;
      const chunks = await chunksOf(id);
      const total = chunks.reduce((sum, { size }) => sum + size, 0);
      const files = [{ name: '.file', size: total }, ...chunks];
      const responses = [
        propsOf(`${href}/`, '<d:resourcetype><d:collection/></d:resourcetype>'),
        ...files.map(({ name, size }) =>
          propsOf(`${href}/${name}`, `<d:resourcetype/><d:getcontentlength>${size}</d:getcontentlength>`),
        ),
      ];
      const body = `<?xml version="1.0"?>\n<d:multistatus xmlns:d="DAV:">${responses.join('')}</d:multistatus>\n`;
      return { status: 207, body };
    },

    async assemble(id, target, total, overwrite) {
      if (!(await stands(join(folder, id)))) return NO_UPLOAD;
      if (!(await stands(dirname(target)))) return { status: 409, message: 'The destination node is not found' };
      const existed = await stands(target);
      if (existed && !overwrite) {
        return {
          status: 412,
          message: 'The destination node already exists, and the overwrite header is set to false',
        };
      }
      const chunks = await chunksOf(id);
      const sum = chunks.reduce((bytes, { size }) => bytes + size, 0);
      if (total !== undefined && total !== sum) {
        return { status: 400, message: `Chunks on server do not sum up to ${total} but to ${sum} bytes` };
      }
      if (chunks.slice(0, -1).some(({ size }) => size < CHUNK_MIN)) return { status: 400, message: 'EntityTooSmall' };
      // As the real one does it: into a file beside, which then takes the name.
      const whole = join(folder, id, '.target');
      await pipeline(contentOf(chunks), createWriteStream(whole));
      adopt(whole);
      await rename(whole, target);
      await rm(join(folder, id), { recursive: true });
      return { status: existed ? 204 : 201 };
    },

    async abort(id) {
      if (!(await stands(join(folder, id)))) return NO_UPLOAD;
      await rm(join(folder, id), { recursive: true });
      return { status: 204 };
    },

    ids: () => readdir(folder),
  };
}

async function* contentOf(chunks: { path: string }[]): AsyncGenerator<Buffer> {
  for (const { path } of chunks) yield* createReadStream(path) as AsyncIterable<Buffer>;
}

function propsOf(href: string, props: string): string {
  const found = `<d:propstat><d:prop>${props}</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>`;
  return `<d:response><d:href>${href}</d:href>${found}</d:response>`;
}
