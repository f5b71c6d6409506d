import type { DepotError } from '../../backends/errors.ts';
import type { Asked } from '../status/asked.ts';
import type { Status } from '../status/status.ts';
import { cureOf } from './status-words.ts';

/** Everything that `status` knows, for programs. @param complete what `--check` is about. */
export function statusJson(status: Status, complete: boolean): object {
  const { found, store, mirrors, offline, revisions, pointers, missing, known, clone, spools } = status;
  const objects = [...pointers.objects.values()];
  const count = ({ answer }: Asked) => ({
    absent: objects.filter(({ oid }) => answer(oid) === 'absent').length,
    damaged: objects.filter(({ oid }) => answer(oid) === 'damaged').length,
    untold: objects.filter(({ oid }) => answer(oid) === 'untold').length,
  });
  const place = (asked: Asked) => ({
    location: asked.place.name,
    answers: asked.answers === true,
    trouble: troubleJson(asked.trouble),
    ...count(asked),
  });
  return {
    ok: complete,
    store: { ...place(store), source: found.endpoint.source, pushesTo: found.pushesTo ?? null },
    mirrors: mirrors.map(place),
    refused: found.refused.map(({ text, error }) => ({ location: text, trouble: troubleJson(error) })),
    offline,
    quorum: found.rule.quorum ?? null,
    refs: revisions.names,
    shallow: revisions.shallow,
    filesNotHere: pointers.unseen,
    objects: { count: objects.length, bytes: objects.reduce((sum, { size }) => sum + size, 0) },
    missing: missing.map(({ oid, size, path, answer, where }) => ({
      oid,
      size,
      path,
      store: answer,
      where,
      cure: cureOf(where, found.remote, oid).slice(2),
    })),
    tooFewCopies: status.short.map(({ oid }) => oid),
    freshClone: {
      complete: sureClone(status),
      stores: known.map(({ source, store: theirs }) => ({
        location: theirs?.place.name ?? null,
        source: source.said,
        trouble: troubleJson(theirs?.trouble ?? source.trouble),
      })),
      misses: clone.misses,
      untold: clone.untold,
    },
    waiting: spools,
  };
}

/** Whether a clone of the tips would be complete; null where that cannot be told. */
export function sureClone({ clone, pointers }: Status): boolean | null {
  if (clone.misses.length > 0) return false;
  return clone.untold.length === 0 && clone.unread === 0 && pointers.unseen === 0 ? true : null;
}

export function troubleJson(error: DepotError | undefined): object | null {
  return error ? { kind: error.kind, message: error.message, cure: error.cure } : null;
}
