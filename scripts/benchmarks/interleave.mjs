/**
 * Measures contestants in turns, so that a busy moment of the machine hits all of them, and each round in an order by chance:
 * what one leaves behind must not always be the same other's. `contestants`: name → an async function that is given whether this is the first round, which warms up, and
 * resolves to `{ wall, cpu }` in milliseconds. Resolves to name → `{ median, min, cpu, first }`, the latter being what the
 * first round resolved to.
 */
export async function interleave(contestants, rounds, say) {
  const names = Object.keys(contestants);
  const samples = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const name of shuffled(names)) {
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

function shuffled(names) {
  return names
    .map((name) => ({ name, place: Math.random() }))
    .toSorted((one, other) => one.place - other.place)
    .map(({ name }) => name);
}

function medianOf(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)] : (sorted[middle - 1] + sorted[middle]) / 2;
}
