/**
 * Measures contestants in turns, so that a busy moment of the machine hits all of them, and each round in another
 * order. `contestants`: name → an async function that resolves to milliseconds. The first round warms up and is dropped.
 * Resolves to name → { median, min }.
 */
export async function interleave(contestants, rounds, say) {
  const names = Object.keys(contestants);
  const samples = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(round + turn) % names.length];
      say(`round ${round} of ${rounds}: ${name}`);
      const milliseconds = await contestants[name]();
      if (round > 0) samples[name].push(milliseconds);
    }
  }
  return Object.fromEntries(
    names.map((name) => [name, { median: medianOf(samples[name]), min: Math.min(...samples[name]) }]),
  );
}

function medianOf(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)] : (sorted[middle - 1] + sorted[middle]) / 2;
}
