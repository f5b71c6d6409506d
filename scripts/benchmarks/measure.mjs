import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Wall time as bash sees it, from the start of the command to its end. Goes to the file that is $0. */
const TIMED = `start=$EPOCHREALTIME
"$@" >/dev/null
status=$?
echo "$start $EPOCHREALTIME" >"$0"
exit $status`;

/**
 * Time of the processor for all that a command starts, also what outlives its parent, as an agent that several workers share does:
 * Linux gives such a process to the nearest ancestor that asks for it (prctl(2), PR_SET_CHILD_SUBREAPER), which a shell cannot. By
 * ticks of 10 ms. Goes to the end of the file that is the first argument.
 */
const COUNTED = `syscall(${{ x64: 157, arm64: 167 }[process.arch] ?? -1}, 36, 1, 0, 0, 0);
my $file = shift;
my $status = system { $ARGV[0] } @ARGV;
1 while wait != -1;
my @times = times;
open my $out, '>>', $file;
print $out "$times[2] $times[3]\\n";
exit($status ? 1 : 0);`;

/** Bytes below which it does not matter where memory comes from. */
const MUCH = 64 * 1024 * 1024;
const SOME = 256 * 1024 * 1024;

/**
 * Uses so much memory and gives it back, so that every contestant finds the same. A virtual machine gives its host back what was free
 * for a while, and whoever uses it again first waits for it: up to 3 s for each GiB, unless the one before has just freed some.
 */
async function warmMemory(box, bytes) {
  if (bytes < MUCH) return;
  const file = join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), `depot-bench-${process.pid}`);
  await box.ok('sh', ['-c', 'head -c "$1" /dev/zero >"$2"; rm "$2"', 'sh', String(bytes + SOME), file]);
}

/** Resolves to `{ wall, cpu }` of a command and all that it starts, in milliseconds. */
async function timed(box, cwd, command, args) {
  // What the one before left to be written must not slow the next one down.
  await box.ok('sync', []);
  const file = box.path('times');
  await box.ok('perl', ['-e', COUNTED, file, 'bash', '-c', TIMED, file, command, ...args], { cwd });
  const [start, end, user, system] = readFileSync(file, 'utf8').trim().split(/\s+/).map(Number);
  return { wall: (end - start) * 1000, cpu: (user + system) * 1000 };
}

/** Milliseconds between two looks. */
const OFTEN = 4;

/** What is git's or git-lfs's is no agent's. */
const NOT_AGENTS = new Set(['git', 'git-lfs', 'git-remote-http']);

/**
 * Resolves to `{ together, one, own }`, in MB: the most memory that all agents had at one moment, and that one had, as sums of
 * resident sets, in which what processes share is counted for each; and what one had that is no file's. To look costs time, so
 * it is never done in a timed run.
 */
async function memoryOf(box, cwd, command, args) {
  const child = box.start(command, args, { cwd, detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
  let words = '';
  child.stderr.on('data', (chunk) => {
    words += chunk;
  });
  const most = { together: 0, one: 0, own: 0 };
  const look = () => {
    const agents = agentsOf(child.pid);
    most.one = Math.max(most.one, ...agents.map(({ resident }) => resident));
    most.own = Math.max(most.own, ...agents.map(({ own }) => own));
    most.together = Math.max(
      most.together,
      agents.reduce((sum, { resident }) => sum + resident, 0),
    );
  };
  const timer = setInterval(look, OFTEN);
  const status = await new Promise((resolve, reject) => {
    child.on('error', reject).on('close', resolve);
  });
  clearInterval(timer);
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}\n${words}`);
  return most;
}

/** `{ resident, own }`, in MB, for each process of a session: statm of proc(5). */
function agentsOf(session) {
  const agents = [];
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const [, name, rest] = /^\d+ \((.*)\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
      const fields = rest?.split(' ') ?? [];
      if (Number(fields[3]) !== session || NOT_AGENTS.has(name)) continue;
      const [, resident, shared] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ').map(Number);
      agents.push({ resident: (resident * 4096) / 1e6, own: ((resident - shared) * 4096) / 1e6 });
    } catch {
      // It has ended meanwhile.
    }
  }
  return agents;
}

/**
 * A contestant: `command` with `args` in `cwd` of a sandbox, with what is put right before it, and looked at after it,
 * untimed. In the first round the memory of its agents is looked at; a tool has none.
 *
 * @param bytes how much it moves.
 */
export function contestant({ box, cwd, command, args, bytes, before, after, isTool = false }) {
  return async (isFirst) => {
    await before?.();
    if (!isFirst) await warmMemory(box, bytes);
    const measured =
      isFirst && !isTool ? await memoryOf(box, cwd, command, args) : await timed(box, cwd, command, args);
    after?.();
    return measured;
  };
}
