/** A fake git, for what git 2.39 cannot do yet: credentials that are no passwords (2.46), and its own failures. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface NewerGit {
  /** A PATH on which it comes first. */
  path: string;
  /** The arguments of each call, and what it read on stdin. */
  calls(): { args: string; input: string }[];
}

/**
 * Writes a `git` into `folder`.
 * @param answers what `git credential <verb>` prints, and its exit status.
 */
export function newerGit(folder: string, answers: Record<string, { prints?: string; status?: number }>): NewerGit {
  mkdirSync(folder, { recursive: true });
  const log = join(folder, 'log');
  writeFileSync(log, '');
  const verbs = Object.entries(answers).map(([verb, { prints = '', status = 0 }]) => {
    writeFileSync(join(folder, `${verb}.out`), prints);
    return `  ${verb}) cat '${join(folder, `${verb}.out`)}'; exit ${status} ;;`;
  });
  const script = [
    '#!/bin/sh',
    '# A fake git, for what the real one here cannot do yet.',
    `{ printf 'ARGS %s\\n' "$*"; cat; printf 'END\\n'; } >>'${log}'`,
    'for last; do :; done',
    'case "$last" in',
    ...verbs,
    'esac',
  ];
  const file = join(folder, 'git');
  writeFileSync(file, `${script.join('\n')}\n`);
  chmodSync(file, 0o755);
  return {
    path: `${folder}:${process.env.PATH}`,
    calls: () =>
      [...readFileSync(log, 'utf8').matchAll(/^ARGS ([^\n]*)\n(.*?)^END$/gms)].map(([, args = '', input = '']) => ({
        args,
        input,
      })),
  };
}
