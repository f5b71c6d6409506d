import { ADAPTER, DEPOT, NOTHING } from './agents.mjs';

/** What must be reached on a folder, as lines: what, how far it is, whether it is met. */
export function folderLimits(rows) {
  return groupsOf(rows).flatMap(({ where, work, of }) => {
    const floor = (way) => of(way, NOTHING);
    const lines = [];
    if (work === '1 x 1 MiB') {
      for (const way of ['push', 'fetch'])
        lines.push(line(way, of(way, DEPOT), floor(way), 1.25, 'an agent that does nothing'));
    } else if (work === '1000 x 10 KiB') {
      for (const way of ['push', 'fetch'])
        lines.push(line(way, of(way, DEPOT), of(way, ADAPTER), 1.1, "git-lfs's file adapter"));
      lines.push(line('push of what is there', of('again', DEPOT), of('push', DEPOT), 1 / 3, 'the first push'));
    } else {
      const most = Math.max(of('push', 'cp'), of('push', 'openssl dgst'));
      lines.push(
        line('push', of('push', DEPOT), most + floor('push'), 1.15, 'the larger of cp and openssl, and the floor'),
      );
      lines.push(line('fetch', of('fetch', DEPOT), of('fetch', 'cp') + floor('fetch'), 1.1, 'cp and the floor'));
    }
    return [
      ...lines,
      ...memoryLines(rows.filter((row) => row.by === DEPOT && placeOf(row) === where && row.work === work)),
    ].map((text) => `${where}, ${work}: ${text}`);
  });
}

/** The same over a server. */
export function webdavLimits(rows) {
  return groupsOf(rows).flatMap(({ where, work, of }) => {
    const lines = ['push', 'fetch'].flatMap((way) => {
      if (work === '1 x 2 GiB' && where.endsWith(' 0 ms'))
        return line(way, of(way, DEPOT), of(way, 'curl') + of(way, NOTHING), 1.1, 'curl and the floor');
      if (work === '1000 x 10 KiB' && !where.endsWith(' 0 ms'))
        return line(way, of(way, DEPOT), of(way, 'rclone'), 1, 'rclone copy --transfers 8');
      return [];
    });
    const ours = rows.filter((row) => row.by === DEPOT && placeOf(row) === where && row.work === work);
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

function line(way, ours, theirs, limit, name) {
  const ratio = ours / theirs;
  return `${way} ${ratio.toFixed(2)} times ${name}, at most ${limit.toFixed(2)}: ${verdict(ratio <= limit)}`;
}

function verdict(met) {
  return met ? 'met' : 'NOT MET';
}

/** Where a store is, by whichever column says so. */
function placeOf(row) {
  return row['store on'] ?? row.server;
}

function groupsOf(rows) {
  const groups = new Map();
  for (const row of rows) {
    const key = `${placeOf(row)} ${row.work}`;
    const of = (way, by) =>
      rows.find((one) => placeOf(one) === placeOf(row) && one.work === row.work && one.way === way && one.by === by)
        ?.median;
    if (!groups.has(key)) groups.set(key, { where: placeOf(row), work: row.work, of });
  }
  return [...groups.values()];
}
