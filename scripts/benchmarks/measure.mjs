import { readdirSync, readFileSync } from 'node:fs';

/** As bash sees it: what it waited for, with all that those waited for. Times go to the file that is $0. */
const TIMED = `TIMEFORMAT='%3U %3S'
start=$EPOCHREALTIME
{ time "$@" >/dev/null 2>&3; } 3>&2 2>"$0"
status=$?
echo "$start $EPOCHREALTIME" >>"$0"
exit $status`;

/** Resolves to `{ wall, cpu }` of a command and all that it starts, in milliseconds. */
async function timed(box, cwd, command, args) {
  // What the one before left to be written must not slow the next one down.
  await box.ok('sync', []);
  const file = box.path('times');
  await box.ok('bash', ['-c', TIMED, file, command, ...args], { cwd });
  const [user, system, start, end] = readFileSync(file, 'utf8').trim().split(/\s+/).map(Number);
  return { wall: (end - start) * 1000, cpu: (user + system) * 1000 };
}

/** Milliseconds between two looks. */
const OFTEN = 4;

/** What is git's or git-lfs's is no agent's. */
const NOT_AGENTS = new Set(['git', 'git-lfs', 'git-remote-http']);

/**
 * Resolves to `{ together, one }`: the most memory that all agents had at one moment, and that one had, in MB. Sums of
 * resident sets: what processes share is counted for each. To look costs time, so it is never done in a timed run.
 */
async function memoryOf(box, cwd, command, args) {
  const child = box.start(command, args, { cwd, detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
  let words = '';
  child.stderr.on('data', (chunk) => {
    words += chunk;
  });
  const most = { together: 0, one: 0 };
  const look = () => {
    const sizes = agentsOf(child.pid);
    most.one = Math.max(most.one, ...sizes);
    most.together = Math.max(
      most.together,
      sizes.reduce((sum, size) => sum + size, 0),
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

/** The resident sets, in MB, of the processes of a session. */
function agentsOf(session) {
  const sizes = [];
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const [, name, rest] = /^\d+ \((.*)\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
      const fields = rest?.split(' ') ?? [];
      if (Number(fields[3]) !== session || NOT_AGENTS.has(name)) continue;
      sizes.push((Number(fields[21]) * 4096) / 1e6);
    } catch {
      // It has ended meanwhile.
    }
  }
  return sizes;
}

/**
 * A contestant: `command` with `args` in `cwd` of a sandbox, with what is put right before it, and looked at after it,
 * untimed. In the first round the memory of its agents is looked at; a tool has none.
 */
export function contestant({ box, cwd, command, args, before, after, isTool = false }) {
  return async (isFirst) => {
    await before?.();
    const measured =
      isFirst && !isTool ? await memoryOf(box, cwd, command, args) : await timed(box, cwd, command, args);
    after?.();
    return measured;
  };
}
