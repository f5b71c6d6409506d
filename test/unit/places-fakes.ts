// Fakes: places whose stores have, lack, spoil or refuse objects as a test says, which no real storage does on demand.
import { rmSync, writeFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { Place } from '../../agent/places/place.ts';
import type { Kept, Store } from '../../agent/store.ts';
import type { Backend } from '../../backends/backend.ts';
import { DepotError, type Kind } from '../../backends/errors.ts';
import { parseLocation } from '../../backends/location.ts';

/** `hangs`: begins a download, and never gets any further, whoever tells it to stop. */
export type Copy = 'good' | 'absent' | 'hangs' | Kind;

export interface FakePlace extends Place {
  /** What was asked of it, in order: "open", "get", "put". */
  readonly asked: string[];
  /** What it has, or fails with; a `put` that works makes it good. */
  copy: Copy;
  /** What a `put` fails with. */
  refuses: Kind | undefined;
  /** What the next calls tell of their progress, in bytes. */
  progress: number[];
  /** Lets what hangs go on, in vain: it removes what it has begun, as the folder does when a share comes back. */
  wake(): Promise<void>;
}

export interface FakeOptions {
  copy?: Copy;
  /** What opening it waits for, or fails with. */
  opening?: Promise<unknown>;
  resumes?: boolean;
  role?: Place['role'];
  /** Of its store; two places may be one. */
  id?: string;
}

/** A place at a location; one with an opening that hangs is that of a server that does not answer. */
export function fakePlace(text: string, options: FakeOptions = {}): FakePlace {
  const { opening = Promise.resolve(), resumes = false, role = 'mirror' } = options;
  const location = parseLocation(text, { platform: 'linux', home: '/home/me' });
  let trouble: DepotError | undefined;
  let opened: Promise<Store> | undefined;
  let wake = (): void => {};
  const asleep = new Promise<void>((done) => {
    wake = done;
  });

  const store: Store = {
    location: text,
    id: options.id,
    resumes,
    backend: undefined as unknown as Backend,
    async get(_oid, size, localFile, call) {
      place.asked.push(call?.resume ? 'resume' : 'get');
      for (const bytes of place.progress) call?.onProgress?.(bytes);
      if (place.copy === 'hangs') {
        writeFileSync(localFile, '', { flag: 'wx' });
        await asleep;
        rmSync(localFile, { force: true });
        throw failure('cancelled', text);
      }
      if (place.copy !== 'good') throw failure(place.copy, text);
      writeFileSync(localFile, Buffer.alloc(size, text), { flag: 'wx' });
    },
    async put(_oid, _size, _file, call): Promise<Kept> {
      place.asked.push(call?.suspect ? 'heal' : 'put');
      for (const bytes of place.progress) call?.onProgress?.(bytes);
      if (place.refuses) throw failure(place.refuses, text);
      const before = place.copy;
      place.copy = 'good';
      if (before === 'good') return 'present';
      return before === 'corrupt' ? 'healed' : 'stored';
    },
    stat: async () => undefined,
    async *list() {},
  };

  const place: FakePlace = {
    role,
    kind: 'store',
    location,
    name: text,
    asked: [],
    copy: options.copy ?? 'good',
    refuses: undefined,
    progress: [],
    wake: async () => {
      wake();
      await setImmediate();
    },
    get trouble() {
      return trouble;
    },
    blame(error) {
      if (error instanceof DepotError && error.kind === 'unreachable') trouble ??= error;
    },
    open() {
      if (!opened) place.asked.push('open');
      opened ??= opening.then(
        () => store,
        (error) => {
          trouble ??= error;
          throw error;
        },
      );
      return opened;
    },
  };
  return place;
}

export function failure(kind: Kind, place: string): DepotError {
  return new DepotError(kind, { what: `cannot use ${place}`, why: `it is ${kind}`, cure: `cure of ${kind}` });
}

/** For `opening`: what fails, without anybody told before it is asked for. */
export function failing(kind: Kind, place: string): Promise<never> {
  const promise = Promise.reject(failure(kind, place));
  promise.catch(() => {});
  return promise;
}

export const HANGS = new Promise<never>(() => {});
