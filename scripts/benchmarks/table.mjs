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
