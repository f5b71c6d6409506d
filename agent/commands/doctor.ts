import { printable } from '../../backends/errors.ts';
import { diagnose } from '../diagnosis.ts';
import type { Finding } from '../setup-checks.ts';

/** Walks the whole chain from git to the store. Returns whether all is well. */
export async function doctor(
  typed: string | undefined,
  json: boolean,
  print: (line: string) => void,
): Promise<boolean> {
  const findings = await diagnose(typed, (finding) => {
    if (!json) show(finding, print);
  });
  const ok = findings.every((finding) => finding.ok);
  if (json) print(JSON.stringify({ ok, findings }, null, 2));
  else print(`\n${verdict(findings)}`);
  return ok;
}

function verdict(findings: Finding[]): string {
  if (!findings.every(({ ok }) => ok)) return 'What is marked ✗ needs mending, from the top.';
  const next = findings.find((finding) => finding.next !== undefined)?.next;
  return next === undefined ? 'All is well.' : `Nothing is wrong, and lfs-depot is not used here. To use it: ${next}`;
}

function show({ ok, subject, detail, cure }: Finding, print: (line: string) => void): void {
  print(`${ok ? '✓' : '✗'} ${subject}: ${printable(detail)}`);
  if (!ok && cure) print(`    → ${cure.replaceAll('\n', '\n      ')}`);
}
