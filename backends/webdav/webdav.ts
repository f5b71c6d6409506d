import type { Backend, CallOptions, GetOptions, PutOptions } from '../backend.ts';
import { cancelled, DepotError, throwIfCancelled } from '../errors.ts';
import { clientFor } from './client.ts';
import { digestFile, getFile, readFile } from './download.ts';
import { discard } from './exchange.ts';
import { failureOf } from './failures.ts';
import { lookAt } from './look.ts';
import { nextcloudUploads } from './nextcloud.ts';
import type { WebOptions } from './options.ts';
import { pathsBelow } from './paths.ts';
import { assertMounted, inside, type Place } from './place.ts';
import { putFile, writeFile } from './upload.ts';

export interface WebdavOptions {
  location: string;
  anchor: string;
  temp: string;
  web: WebOptions;
}

/** A folder on a WebDAV server, by its http: or https: URL. Touches nothing until a verb is called. */
export function openWebdav(url: string, { location, anchor, temp, web }: WebdavOptions): Backend {
  const place: Place = {
    location,
    anchor,
    temp,
    client: clientFor(url, web),
    paths: pathsBelow(url),
    folders: new Set(),
    sparse: true,
    moves: 'trusted',
    mute: false,
    uploads: nextcloudUploads(url),
  };

  /** Gives every call its sentence for errors, and "cancelled" its meaning. */
  async function call<T>(verb: string, path: string, o: CallOptions | undefined, work: (what: string) => Promise<T>) {
    const what = `cannot ${verb} ${inside(place, path)}`;
    throwIfCancelled(o?.signal, what);
    try {
      const result = await work(what);
      throwIfCancelled(o?.signal, what);
      return result;
    } catch (error) {
      throw o?.signal?.aborted ? cancelled(what) : error;
    }
  }

  /** `found`, or undefined once it is sure that the storage itself is there. */
  async function orAbsent<T>(found: T | undefined, what: string, o: CallOptions | undefined): Promise<T | undefined> {
    if (found === undefined) await assertMounted(place, what, o?.signal);
    return found;
  }

  return {
    location,
    temp,
    capabilities: { reads: 'remote', resumes: true },

    create: () => call('make a store at', '', undefined, (what) => createRoot(place, what)),

    stat: (path, o) =>
      call('look at', path, o, async (what) => {
        const found = await lookAt(place, path, what, o?.signal);
        return o?.beforePut ? found : orAbsent(found, what, o);
      }),

    async *list(prefix, o) {
      const what = `cannot list ${inside(place, prefix)}`;
      throwIfCancelled(o?.signal, what);
      try {
        await assertMounted(place, what, o?.signal);
        const { listFiles } = await import('./list.ts');
        yield* listFiles(place, prefix, what, o?.signal);
      } catch (error) {
        throw o?.signal?.aborted ? cancelled(what) : error;
      }
    },

    put: (path: string, localFile: string, o: PutOptions) =>
      call('store', path, o, (what) => putFile(place, path, localFile, o, what)),

    get: (path: string, localFile: string, o: GetOptions = {}) =>
      call('fetch', path, o, async (what) => orAbsent(await getFile(place, path, localFile, o, what), what, o)),

    digest: (path, o = {}) =>
      call('read', path, o, async (what) => orAbsent(await digestFile(place, path, o, what), what, o)),

    read: (path, o = {}) =>
      call('read', path, o, async (what) => orAbsent(await readFile(place, path, o, what), what, o)),

    write: (path, content, o) => call('write', path, o, (what) => writeFile(place, path, content, o, what)),

    remove: (path, o) =>
      call('remove', path, o, async (what) => (await import('./tidy.ts')).removeFile(place, path, what, o?.signal)),

    sweep: (olderThan, o) =>
      call('tidy', temp, o, async (what) => (await import('./tidy.ts')).sweepTemp(place, olderThan, what, o?.signal)),

    space: (o) =>
      call('look at', '', o, async (what) => {
        await assertMounted(place, what, o?.signal);
        const { propfind } = await import('./propfind.ts');
        const found = await propfind(place, place.paths.folder(''), '0', what, o?.signal);
        return found?.resources[0]?.available;
      }),

    examine: (o) =>
      call('try out', '', o, async (what) => (await import('./examine.ts')).examine(place, what, o?.signal)),

    assume: ({ move }) => {
      place.moves = move ?? 'trusted';
    },
  };
}

/** The root and its temp folder; the folder that holds the root must exist. */
async function createRoot(place: Place, what: string): Promise<void> {
  const { client, paths, temp } = place;
  for (const folder of ['', temp]) {
    const answer = await client.send({ what, method: 'MKCOL', url: paths.folder(folder), final: [500] });
    const { status } = answer;
    if (status === 201 || status === 200 || status === 405) {
      await discard(answer);
      continue;
    }
    if (folder === '' && [404, 409, 500].includes(status)) {
      await discard(answer);
      const why = `the folder that should hold it does not exist (the server said ${status})`;
      throw new DepotError('no-store', {
        what,
        why,
        cure: 'check the address, or make that folder first, then try again',
      });
    }
    const failure = await failureOf(answer, what, client.login);
    // A root that is somebody's whole share may refuse to be made, since it is there.
    const { propfind } = await import('./propfind.ts');
    const found = await propfind(place, paths.folder(folder), '0', what, undefined);
    if (!found?.resources.some((each) => each.path === folder && each.isFolder)) throw failure;
  }
}
