import { shellQuote } from '../backends/shell-word.ts';
import { HUB_VARIABLE, INIT_VARIABLE, NEXT_VARIABLE, THREADS_VARIABLE } from './handover.ts';
import { ASKED } from './hub/asked-before.ts';

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
 * On Linux the workers of one git-lfs share one process, the hub, which the first of them starts already at init (hub/hub.ts).
 *
 * On Windows the program is started directly: there, the MSYS shell rewrites what looks like a path in a variable.
 */
export function startSettings(words: string[], platform: NodeJS.Platform): StartSettings {
  const [program = ''] = words;
  if (platform === 'win32') {
    return { path: program, args: [...words.slice(1).map(shellQuote), 'agent'].join(' ') };
  }
  const isThere = [`[ -x ${shellQuote(program)} ]`, ...words.map((word) => `[ -f ${shellQuote(word)} ]`)].join(' && ');
  const call = `${words.map(shellQuote).join(' ')} agent`;
  const gone = JSON.stringify(
    `cannot start lfs-depot: there is no program at ${words.at(-1)}\nhint: run \`lfs-depot install\` from where it is now`,
  );
  const isTerminate = `case $next in *'"event":"terminate"'*) exit 0;; esac`;
  const hub = platform === 'linux';
  const script = [
    '-r init || exit 0',
    ...(hub ? meetAtHub(isThere, call) : ["printf '{}\\n'"]),
    `read -r next || exit 0; ${isTerminate}`,
    ...(hub ? [ASK_HUB] : []),
    `while :; do if ${isThere}; then export ${INIT_VARIABLE}="$init" ${NEXT_VARIABLE}="$next"; exec ${call}; fi`,
    `oid=\${next#*'"oid":"'}; oid=\${oid%%'"'*}`,
    `printf '{"event":"complete","oid":"%s","error":{"code":2,"message":%s}}\\n' "$oid" ${shellQuote(gone)}`,
    `read -r next || exit 0; ${isTerminate}; done`,
  ];
  return { path: 'read', args: script.join('; ') };
}

/**
 * The workers of one git-lfs meet at a file that is named by its process id and its time of start, field 22 of proc(5)'s
 * stat. Whoever can make it is the first, starts the hub, and leaves its own pipes to it. All but that in the words of the
 * shell itself: a program that it starts takes as long as the rest. Should the hub never come, the worker goes on by
 * itself: who removes the request has it. Ctrl-C may end a hub that cannot tidy up yet, so the shells do it.
 */
function meetAtHub(isThere: string, call: string): string[] {
  return [
    `h=; g=\${GIT_DIR:-.git}`,
    'if [ -f "$g/commondir" ] && read -r c <"$g/commondir"; then case $c in /*) g=$c;; *) g=$g/$c;; esac; fi',
    `if [ -f "$g/HEAD" ] && [ -r "/proc/$PPID/stat" ] && read -r s <"/proc/$PPID/stat"; then set -- \${s##*) }; [ -w "$g/lfs/tmp" ] && g=$g/lfs/tmp; h=$g/depot-hub-$PPID-\${20}; fi 2>/dev/null`,
    'set -C',
    `if [ -n "$h" ] && [ ! -e "$h" ] && ${isThere} && { ${TIDY}; printf '%s\\n' $$ >"$h"; } 2>/dev/null`,
    `then trap 'exit 0' USR1; printf '%s\\n' "$init" >"$h.$$"`,
    `{ ${ASKED.map(askGit).join('; ')}; } </dev/null 2>/dev/null | ${INIT_VARIABLE}="$init" ${HUB_VARIABLE}="$h" ${THREADS_VARIABLE}=${THREADS} ${call} >/dev/null 2>&1 & p=$!`,
    `echo "hub $p" >>"$h"; printf '{}\\n'; wait $p; rm "$h.$$" 2>/dev/null || exit 0`,
    `trap - USR1 ${ENDS}; h=; else trap - ${ENDS}; printf '{}\\n'; fi`,
  ];
}

/** Calls of the system that may go on side by side in a hub: where one place hangs for all eight workers, another is still read. */
const THREADS = 24;

function askGit(args: readonly string[]): string {
  return `git ${args.join(' ')}; printf '\\0\\0%s\\0\\0' $?`;
}

/** PIPE: git-lfs may have gone, by the same Ctrl-C, before it is answered. */
const ENDS = 'INT TERM HUP PIPE';

/** All remove the meeting, since one may write to it while another removes it. */
const TIDY = `trap 'rm -f "$h" "$h.$$"; exit 1' ${ENDS}`;

/** Turns; after the first the worker sleeps 10 ms in each, so that it waits some 5 s at most. */
const ASK_HUB = [
  'if [ -n "$h" ] && while read -r w p; do [ "$w" != hub ] || break; done <"$h" && [ -n "$p" ] && kill -0 $p; then n=0',
  `${TIDY}; printf '%s\\n%s\\n' "$init" "$next" >"$h.$$" && printf '%s\\n' $$ >>"$h" && kill -URG $p`,
  'while [ -e "$h.$$" ] && [ $n -lt 900 ] && kill -0 $p; do n=$((n+1)); [ $n -lt 400 ] || sleep 0.01; done',
  `[ -e "$h.$$" ] && rm "$h.$$" || exit 0; trap - ${ENDS}; fi 2>/dev/null`,
].join('; ');

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
