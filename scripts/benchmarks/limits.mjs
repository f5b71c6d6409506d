import { ADAPTER, DEPOT, NOTHING, PLAIN } from './agents.mjs';

/** `cp` and `openssl dgst` of the same bytes, started together: what becomes of the larger of them where both are at work. */
export const BOTH = 'cp + openssl';

/** What must be reached on a folder, as lines: what, how far it is, whether it is met. */
export function folderLimits(rows) {
  return groupsOf(rows).flatMap(({ where, work, line, beside, alone, atOnce, ours }) => {
    const lines = [];
    if (work === '1 x 1 MiB') {
      for (const way of ['push', 'fetch']) {
        lines.push(line(way, 1.25, 'an agent that does nothing', (of) => of(way, NOTHING)));
        lines.push(`${way} in plain Node, ${beside(way, PLAIN, NOTHING)} times an agent that does nothing`);
      }
    } else if (work === '1000 x 10 KiB') {
      for (const way of ['push', 'fetch']) {
        lines.push(line(way, 1.1, "git-lfs's file adapter", (of) => of(way, ADAPTER)));
        lines.push(`${way} in plain Node, ${beside(way, PLAIN, ADAPTER)} times git-lfs's file adapter`);
      }
      lines.push(line('again', 1 / 3, 'the first push', (of) => of('push', DEPOT)));
      lines.push(`push of what is there by an agent that does nothing, ${alone} times our first push`);
    } else {
      const larger = (of) => Math.max(of('push', 'cp'), of('push', 'openssl dgst')) + of('push', NOTHING);
      lines.push(line('push', 1.15, 'the larger of cp and openssl, and the floor', larger));
      lines.push(`push, cp and openssl at the same time ${atOnce(larger)} times the larger of them, and the floor`);
      lines.push(line('fetch', 1.1, 'cp and the floor', (of) => of('fetch', 'cp') + of('fetch', NOTHING)));
    }
    return [...lines, ...memoryLines(ours)].map((text) => `${where}, ${work}: ${text}`);
  });
}

/** The same over a server. */
export function webdavLimits(rows) {
  return groupsOf(rows).flatMap(({ where, work, line, ours }) => {
    const lines = ['push', 'fetch'].flatMap((way) => {
      if (work === '1 x 2 GiB' && where.endsWith(' 0 ms'))
        return line(way, 1.1, 'curl and the floor', (of) => of(way, 'curl') + of(way, NOTHING));
      if (work === '1000 x 10 KiB' && !where.endsWith(' 0 ms'))
        return line(way, 1, 'rclone copy --transfers 8', (of) => of(way, 'rclone'));
      return [];
    });
    return [...lines, ...memoryLines(ours)].map((text) => `${where}, ${work}: ${text}`);
  });
}

/** MB that all agents may have together, and one. */
const TOGETHER = 400;
const ONE = 80;

function memoryLines(rows) {
  const together = Math.max(...rows.map(({ MB }) => MB));
  const one = Math.max(...rows.map((row) => row['MB of one']));
  return [
    `agents together ${together.toFixed(0)} MB, at most ${TOGETHER}: ${verdict(together <= TOGETHER)}`,
    `one agent ${one.toFixed(0)} MB, at most ${ONE}: ${verdict(one <= ONE)}`,
  ];
}

function verdict(met) {
  return met ? 'met' : 'NOT MET';
}

/** Where a store is, by whichever column says so. */
function placeOf(row) {
  return row['store on'] ?? row.server;
}

/** The rows of each place and workload, with what makes a line of a limit of theirs. */
function groupsOf(rows) {
  const groups = new Map();
  for (const row of rows) {
    const key = `${placeOf(row)} ${row.work}`;
    if (groups.has(key)) continue;
    const group = rows.filter((one) => placeOf(one) === placeOf(row) && one.work === row.work);
    const line = (way, limit, name, theirs) => limitLine(group, way, limit, name, theirs);
    const timeOf = timesOf(group, 'median');
    const beside = (way, one, other) => (timeOf(way, one) / timeOf(way, other)).toFixed(2);
    const alone = (timeOf('again', NOTHING) / timeOf('push', DEPOT)).toFixed(2);
    const atOnce = (theirs) => ((timeOf('push', BOTH) + timeOf('push', NOTHING)) / theirs(timeOf)).toFixed(2);
    const ours = group.filter(({ by }) => by === DEPOT);
    groups.set(key, { where: placeOf(row), work: row.work, line, beside, alone, atOnce, ours });
  }
  return [...groups.values()];
}

/**
 * By medians; beside it what the fastest rounds of all give, which a machine that others use as well has disturbed least.
 * @param theirs what `limit` is a multiple of: given a function that gives the time of a way and a contestant.
 */
function limitLine(group, way, limit, name, theirs) {
  const ratio = (figure) => {
    const of = timesOf(group, figure);
    return of(way, DEPOT) / theirs(of);
  };
  const what = way === 'again' ? 'push of what is there' : way;
  return `${what} ${ratio('median').toFixed(2)} times ${name}, at most ${limit.toFixed(2)}: ${verdict(ratio('median') <= limit)} (fastest rounds: ${ratio('min').toFixed(2)})`;
}

/** A function that gives the time of a way and a contestant. @param figure `median` or `min`. */
function timesOf(group, figure) {
  return (way, by) => group.find((row) => row.way === way && row.by === by)?.[figure];
}
