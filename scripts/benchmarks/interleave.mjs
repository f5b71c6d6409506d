/**
 * Measures contestants in turns, so that a busy moment of the machine hits all of them, and each round in another
 * order. `contestants`: name → an async function that is given whether this is the first round, which warms up, and
 * resolves to `{ wall, cpu }` in milliseconds. Resolves to name → `{ median, min, cpu, first }`, the latter being what the
 * first round resolved to.
 */
export async function interleave(contestants, rounds, say) {
  const names = Object.keys(contestants);
  const samples = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(round + turn) % names.length];
      say(`round ${round} of ${rounds}: ${name}`);
      samples[name].push(await contestants[name](round === 0));
    }
  }
  return Object.fromEntries(
    names.map((name) => {
      const [first, ...counted] = samples[name];
      const walls = counted.map(({ wall }) => wall);
      return [
        name,
        { median: medianOf(walls), min: Math.min(...walls), cpu: medianOf(counted.map(({ cpu }) => cpu)), first },
      ];
    }),
  );
}

function medianOf(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)] : (sorted[middle - 1] + sorted[middle]) / 2;
}
