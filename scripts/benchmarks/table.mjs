/** Rows of equal keys as a table for people: numbers to the right, text to the left. */
export function tableOf(rows) {
  const names = Object.keys(rows[0] ?? {});
  const lines = [names, ...rows.map((row) => names.map((name) => row[name]))];
  const widths = names.map((_, column) => Math.max(...lines.map((line) => textOf(line[column]).length)));
  return lines
    .map((line, index) => {
      const cells = line.map((cell, column) => {
        const right = typeof (index === 0 ? rows[0][names[column]] : cell) === 'number';
        return right ? textOf(cell).padStart(widths[column]) : textOf(cell).padEnd(widths[column]);
      });
      return `  ${cells.join('  ')}`.trimEnd();
    })
    .join('\n');
}

function textOf(cell) {
  if (typeof cell !== 'number') return cell ?? '';
  return cell < 10 ? cell.toFixed(2) : cell.toFixed(cell < 100 ? 1 : 0);
}

/** Rows for what `interleave` found for each way, beside that of one contestant. */
export function rowsOf(about, found, beside) {
  return Object.entries(found).flatMap(([way, times]) =>
    Object.entries(times).map(([by, { median, min, cpu, first }]) => ({
      ...about,
      way,
      by,
      median,
      min,
      cpu,
      MB: first.together,
      'MB of one': first.one,
      'its own': first.own,
      [`to ${beside}`]: times[beside] && median / times[beside].median,
    })),
  );
}

/** A page for docs/: how to read it, and what was measured. @param before the page as it was: what was not measured anew stays. */
export function markdownOf(machine, results, before) {
  const where = `${machine.platform} ${machine.release}, ${machine.cpus} CPUs, Node ${machine.node}`;
  const sections = new Map(
    before
      .split(/^(?=## )/m)
      .slice(1)
      .map((text) => [/^## (.*)/.exec(text)?.[1], `${text.trimEnd()}\n`]),
  );
  const parts = results.map(({ benchmark, about, rounds, rows, verdict }) => {
    const table = [
      Object.keys(rows[0]),
      Object.keys(rows[0]).map(() => '---'),
      ...rows.map((row) => Object.values(row).map(textOf)),
    ];
    const lines = table.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
    const limits = verdict.map((line) => `- ${line}`).join('\n');
    return [
      benchmark,
      `## ${benchmark}\n\n${about}; ${rounds} rounds at least. Measured on ${where}.\n\n${lines}\n\n${limits}\n`,
    ];
  });
  for (const [benchmark, text] of parts) sections.set(benchmark, text);
  return `${PREFACE}\n${[...sections.values()].join('\n')}`;
}

const PREFACE = `# Benchmarks

\`scripts/bench --record\` wrote this. All contestants of a table ran in turns, in one run, on one machine, after a round that warms
up, each with memory that was just in use: compare within a table, and ratios, not milliseconds; another machine, or another day, has others.

- *median*, *min*: wall time in milliseconds of the whole command, git-lfs and its own work included. *cpu*: of all its processes.
- *MB*, *MB of one*: the most memory that all agents together, and one of them, had at any moment (resident sets: what
  processes share counts for each). *Its own* is what is no file's: the rest are pages of the program, which the system can drop.
- *again* is a push of what is there already.
- *does nothing* is an agent in sh that answers at once: what git-lfs costs by itself, the floor. *file adapter* is what git-lfs
  does with a remote that is a folder: one process that neither hashes what it pushes, nor syncs it to the disk.
- *plain Node* is the least that any agent in Node can do: started for the first object, it hashes and copies, and nothing else.
- *cp + openssl* is both at the same time, which is what a push does: where they slow each other down, so it is slowed down.
- lfs-depot hashes what it pushes (what is fetched git-lfs hashes itself), and syncs each object and its folder to the disk;
  *depot.fsync=false* is the same without sync.
`;
