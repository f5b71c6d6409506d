import { type DepotError, printable } from '../../backends/errors.ts';
import type { CaughtUp } from '../places/catch-up.ts';
import { amountOf, sizeText } from '../spool/amount.ts';
import type { Delivery } from '../spool/deliver.ts';

type Print = (line: string) => void;

/** Lines of a list. */
const SHOWN = 10;

/** What became of a spool. @param to its place. */
export function tellDelivery(to: string, { delivered, bytes, present, failed, untried }: Delivery, tell: Print): void {
  const were = present > 0 ? `${present} ${present === 1 ? 'was' : 'were'} there already` : '';
  if (delivered > 0) tell(`Delivered to ${to}: ${amountOf(delivered, bytes)}${were && `; ${were}`}.`);
  else if (present > 0) tell(`Nothing had to be delivered to ${to}: ${were}.`);
  else if (failed.length > 0) tell(`Nothing could be delivered to ${to}.`);
  const left = failed.length + untried;
  if (left > 0) tell(`Still waiting on this computer: ${countOf(left)}.`);
  tellFailures(failed, tell);
}

/** What became of a place. @param all how many objects there are; @param nowhere how many of them nobody has. */
export function tellPlace(
  { place, brought, bytes, failed, trouble }: CaughtUp,
  all: number,
  nowhere: number,
  tell: Print,
): void {
  const name = `${place.role === 'primary' ? 'Store' : 'Mirror'} ${printable(place.name)}`;
  const got = `got ${amountOf(brought, bytes)}`;
  if (trouble) {
    tellTrouble(`${name} ${brought > 0 ? `${got}, and then ` : ''}was left out`, trouble, tell);
    tellFailures(
      failed.filter(({ error }) => error.kind !== trouble.kind),
      tell,
    );
  } else {
    const lacks = nowhere + failed.length;
    const has = lacks === 0 ? `has all ${countOf(all)}` : `has ${all - lacks} of ${countOf(all)}`;
    if (all === 0) tell(`${name}: there is nothing to bring.`);
    else tell(`${name}: ${brought > 0 ? `${got}, and ${has} now` : has}.`);
    tellFailures(failed, tell);
  }
}

/** Objects that nobody has, or nobody undamaged. Of those of other repositories no path is known. */
export function tellNowhere(objects: { oid: string; size: number; path?: string }[], tell: Print): void {
  if (objects.length === 0) return;
  tell(`✗ no good copy of ${countOf(objects.length)} is on this computer or in any place that answers:`);
  for (const { oid, size, path } of objects.slice(0, SHOWN)) {
    tell(`    ${oid.slice(0, 10)}  ${sizeText(size).padStart(9)}${path === undefined ? '' : `  ${printable(path)}`}`);
  }
  if (objects.length > SHOWN) tell(`    and ${objects.length - SHOWN} more (--json shows all)`);
  tell(`    → whoever has the file${objects.length === 1 ? '' : 's'} runs: git lfs push --all origin`);
}

export function tellTrouble(what: string, { message, cure }: DepotError, tell: Print): void {
  tell(what === '' ? `✗ ${message}` : `✗ ${what}: ${message}`);
  if (cure !== '') tell(`    → ${cure.replaceAll('\n', '\n      ')}`);
}

/** What is to be done about the same thing for many objects is told once. */
function tellFailures(failed: { error: DepotError }[], tell: Print): void {
  const alike = new Map<string, { error: DepotError; more: number }>();
  // What is told without a cure was told before, with one.
  for (const { error } of [...failed].sort(
    (one, other) => Number(one.error.cure === '') - Number(other.error.cure === ''),
  )) {
    const same = error.cure === '' ? [...alike.values()].find((one) => one.error.kind === error.kind) : undefined;
    const group = same ?? alike.get(`${error.kind} ${error.cure}`);
    if (group) group.more++;
    else alike.set(`${error.kind} ${error.cure}`, { error, more: 0 });
  }
  const groups = [...alike.values()];
  for (const { error, more } of groups.slice(0, SHOWN)) {
    tellTrouble('', error, tell);
    if (more > 0) tell(`    The same happened to ${more} more (--json shows all).`);
  }
  if (groups.length > SHOWN) tell(`✗ and ${groups.length - SHOWN} more failures (--json shows all)`);
}

function countOf(objects: number): string {
  return `${objects} object${objects === 1 ? '' : 's'}`;
}
