import { shellQuote } from '../backends/shell-word.ts';
import { INIT_VARIABLE, NEXT_VARIABLE } from './handover.ts';

/** The name of the agent in git's configuration: `lfs.customtransfer.depot.*`. */
export const AGENT = 'depot';

/**
 * The keys that `install` owns. The last is scoped to `lfs.url = depot::…`, whatever follows: an unscoped
 * `lfs.standalonetransferagent` would take over every repository, those on other LFS servers too.
 */
export const PATH_KEY = `lfs.customtransfer.${AGENT}.path`;
export const ARGS_KEY = `lfs.customtransfer.${AGENT}.args`;
export const MATCH_KEY = 'lfs.depot::.standalonetransferagent';

/**
 * The keys of `install --file-remotes`: remotes that are folders or shares. git-lfs makes a `file:` URL of them all, with a
 * host in `file://server/share` and with none in `//server/share` and `C:/folder`. Its matcher takes `*` for one label of a
 * host, and an empty host for one label (seen with 3.3.0), so one key for each number of labels a server's name may have.
 */
export const FILE_KEYS = ['*', '*.*', '*.*.*', '*.*.*.*', '*.*.*.*.*'].map(
  (host) => `lfs.file://${host}/.standalonetransferagent`,
);

/** What git-lfs is told to run; `path` is quoted by git-lfs, `args` is raw shell on every platform (`sh -c`). */
export interface StartSettings {
  path: string;
  args: string;
}

/**
 * How git-lfs starts the agent. git-lfs runs `concurrenttransfers` (8) processes one after another before it asks for
 * the first object, and most of them never get one. So on POSIX systems a line of shell answers init at once, and the
 * program is started with the first object (docs/architecture.md, "The lazy start"). It costs one thing: if the program
 * is gone, nothing can be said at init; so the line itself answers for it, object by object.
 *
 * On Windows the program is started directly: there, the MSYS shell rewrites what looks like a path in a variable.
 */
export function startSettings(words: string[], platform: NodeJS.Platform): StartSettings {
  const [program = ''] = words;
  if (platform === 'win32') {
    return { path: program, args: [...words.slice(1).map(shellQuote), 'agent'].join(' ') };
  }
  const gone = JSON.stringify(
    `cannot start lfs-depot: there is no program at ${words.at(-1)}\nhint: run \`lfs-depot install\` from where it is now`,
  );
  const script = [
    "-r init && printf '{}\\n' && read -r next || exit 0",
    `while :; do case $next in *'"event":"terminate"'*) exit 0;; esac`,
    `if ${[`[ -x ${shellQuote(program)} ]`, ...words.map((word) => `[ -f ${shellQuote(word)} ]`)].join(' && ')}; then export ${INIT_VARIABLE}="$init" ${NEXT_VARIABLE}="$next"; exec ${words.map(shellQuote).join(' ')} agent; fi`,
    `oid=\${next#*'"oid":"'}; oid=\${oid%%'"'*}`,
    `printf '{"event":"complete","oid":"%s","error":{"code":2,"message":%s}}\\n' "$oid" ${shellQuote(gone)}`,
    'read -r next || exit 0; done',
  ];
  return { path: 'read', args: script.join('; ') };
}

/** The program that settings start, in either form; undefined when they are not ours. */
export function programIn({ path, args }: StartSettings): string[] | undefined {
  // The call is quoted words, then `agent` without quotes, which a quoted word cannot be taken for.
  const form = path === 'read' ? /; exec ((?:'[^']*'|\\'| )*)agent; fi; / : /^((?:'[^']*'|\\'| )*)agent( |$)/;
  const call = form.exec(args)?.[1];
  if (call === undefined) return undefined;
  const words = [...call.matchAll(/'((?:[^']|'\\'')*)'|([^\s']+)/g)].map(([, quoted, bare]) =>
    quoted === undefined ? (bare ?? '') : quoted.replaceAll(`'\\''`, "'"),
  );
  return path === 'read' ? words : [path, ...words];
}
