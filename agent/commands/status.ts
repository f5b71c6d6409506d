import { text } from 'node:stream/consumers';
import { type DepotError, printable } from '../../backends/errors.ts';
import { placeOfSetting } from '../config.ts';
import type { Pointer } from '../pointers.ts';
import { amountOf, momentText, sizeText } from '../spool/amount.ts';
import type { Asked } from '../status/asked.ts';
import type { Known } from '../status/fresh-clone.ts';
import { type Status, statusOf } from '../status/status.ts';
import { cureByTheWay } from '../trust.ts';
import { meterOn } from './meter.ts';
import { groupsOf, isUntold } from './status-groups.ts';
import { statusJson, sureClone } from './status-json.ts';
import { counted, cureOf, partialCure, WORDS } from './status-words.ts';

export interface StatusCommand {
  refs: string[];
  all: boolean;
  check: boolean;
  /** A check of what git tells a pre-push hook on stdin. */
  prePush: boolean;
  forPrune: boolean;
  json: boolean;
}

type Print = (line: string) => void;

/** Lines of a list that people read. */
const MOST_LINES = 20;

/** Shows where the objects of a history are. Returns whether what was asked for, a check, found no problem. */
export async function status(command: StatusCommand, print: Print): Promise<boolean> {
  const { refs, all, prePush, forPrune, json } = command;
  const check = command.check || prePush;
  const meter = meterOn(process.stderr, json);
  if (forPrune) return (await import('./status-prune.ts')).statusForPrune(json, meter, print);
  const pushed = prePush ? await text(process.stdin) : undefined;
  // What is printed as JSON is everything, whatever is judged by.
  const found = await statusOf({ refs, all, pushed, brief: check && !json, tell: meter.tell }).finally(meter.clear);
  const complete = found.short.length === 0 && found.pointers.unseen === 0;
  if (json) print(JSON.stringify(statusJson(found, complete), null, 2));
  else if (!check) show(found, print);
  else if (!complete) showProblem(found, print);
  return !check || complete;
}

function show(status: Status, print: Print): void {
  showPlaces(status, print);
  print('');
  showObjects(status, print);
  showClone(status, print);
  for (const { location, objects, bytes, since } of status.spools) {
    print(`On this computer ${amountOf(objects, bytes)} wait${objects === 1 ? 's' : ''} for ${printable(location)},`);
    print(`  since ${momentText(since)}: lfs-depot sync`);
  }
}

function showPlaces({ found, store, mirrors, known, offline, pointers }: Status, print: Print): void {
  const source = printable(found.endpoint.source);
  showPlace(`Store: ${printable(store.place.name)} (${source})`, store, print);
  if (found.alone)
    print(`  lfs-depot is not used here: git-lfs keeps them there by itself; to change that: ${found.alone.next}`);
  if (found.pushesTo !== undefined) print(`  pushes go elsewhere: ${printable(found.pushesTo)}`);
  for (const mirror of mirrors) {
    showPlace(`Mirror: ${printable(mirror.place.name)}`, mirror, print);
    const lacks = [...pointers.objects.values()].filter(({ oid }) => isGone(mirror, oid));
    if (lacks.length > 0) print(`  lacks ${sumOf(lacks)} of these: lfs-depot sync`);
  }
  for (const { text, error } of found.refused) {
    print(`Mirror: ${printable(text)}: not used: ${error.why}`);
    hint(error, print);
  }
  for (const one of known) if (!one.isOwn) showElsewhere(one, print);
  const setting = found.config.get('depot.offline');
  if (offline !== 'off') print(`Offline mode: ${offline}${setting ? ` (${placeOfSetting(setting)})` : ''}`);
}

/** By what is committed, clones look elsewhere. */
function showElsewhere({ source, store }: Known, print: Print): void {
  if (store) {
    showPlace(`Clones use another store: ${printable(store.place.name)} (${printable(source.said)})`, store, print);
  } else {
    if (source.trouble) print(`Clones: ${printable(source.trouble.message)}`);
    hint(source.trouble, print);
  }
}

function showPlace(name: string, { answers, trouble }: Asked, print: Print): void {
  if (!trouble) print(`${name}: answers`);
  else if (trouble.kind === 'untrusted') print(`${name}: not asked: ${trouble.why}`);
  else print(`${name}: ${wordsOf(answers) ?? silenceOf(trouble)}: ${trouble.why}`);
  hint(trouble, print);
}

/** Undefined where nothing could be asked. */
function wordsOf(answers: Asked['answers']): string | undefined {
  if (answers === 'partly') return 'answered, and then no longer';
  return answers ? 'answers, but not about all' : undefined;
}

/** A server that wants another password does answer. */
function silenceOf({ kind }: DepotError): string {
  return kind === 'unreachable' || kind === 'no-store' ? 'does not answer' : 'cannot be asked';
}

function isGone({ answer }: Asked, oid: Pointer['oid']): boolean {
  return ['absent', 'damaged'].includes(answer(oid));
}

function showObjects({ revisions, pointers, missing, store, found }: Status, print: Print): void {
  const names = revisions.names.map(printable).join(', ');
  const objects = [...pointers.objects.values()];
  if (revisions.commits.length === 0) print(`${names}: nothing was committed yet`);
  else if (objects.length === 0) print(`${names}: no LFS objects`);
  else print(`${names}: ${sumOf(objects)}, ${objects.length - missing.length} of them in the store`);
  for (const [where, items] of groupsOf(missing)) {
    print(`  ${items.length} ${WORDS[where]}${cureOf(where, found.remote)}`);
    showList(items, (item) => `    ${lineOf(item)}${item.answer === 'damaged' ? ', damaged there' : ''}`, print);
  }
  const untold = missing.filter(isUntold).length;
  if (untold > 0)
    print(
      `  ${untold} cannot be told: ${wordsOf(store.answers) ? 'the store did not say' : 'the store could not be asked'}`,
    );
  if (revisions.shallow) print('  This clone is shallow: older commits were not looked at');
  if (pointers.unseen > 0) {
    print(`  Not in this clone, and not looked at: ${counted(pointers.unseen, 'file')}; to have the small ones:`);
    print(`    ${partialCure(found.remote)}`);
  }
}

function showClone(status: Status, print: Print): void {
  const { misses, untold } = status.clone;
  if (misses.length > 0) {
    print(`A fresh clone would miss ${counted(misses.length, 'file')}:`);
    showList(misses, (file) => `    ${lineOf(file)}`, print);
  }
  if (untold.length > 0) {
    const these = misses.length > 0 ? `${untold.length} more` : counted(untold.length, 'file');
    print(`Whether a fresh clone would have ${these} cannot be told, since not every place answers:`);
    showList(untold, (file) => `    ${lineOf(file)}`, print);
  }
  if (sureClone(status) === true) print('A fresh clone would be complete.');
  else if (misses.length + untold.length === 0) {
    print('Whether a fresh clone would be complete cannot be told: not all of its files are here.');
  }
}

/** For a hook: few lines. */
function showProblem({ found, short, store, known, pointers, revisions }: Status, print: Print): void {
  const names = revisions.names.map(printable).join(', ');
  const sure = short.filter((item) => !isUntold(item));
  if (sure.length > 0) {
    const stores = known.flatMap((one) => (one.store ? [printable(one.store.place.name)] : []));
    const where =
      found.rule.quorum === undefined
        ? `in ${stores.join(', ')}, as clones need`
        : 'in as many places as depot.quorum says, or in none that clones know';
    print(`lfs-depot: ${sumOf(sure)} of ${names} ${sure.length === 1 ? 'is' : 'are'} not ${where}:`);
    showList(sure, (item) => `  ${lineOf(item)}`, print, 5);
    for (const [place, items] of groupsOf(sure)) {
      print(`  ${items.length} ${WORDS[place]}${cureOf(place, found.remote)}`);
    }
  }
  if (sure.length < short.length) {
    const troubles = known.map((one) => one.store?.trouble ?? one.source.trouble);
    const trouble = troubles.find((one) => one !== undefined) ?? store.trouble;
    const { message = 'not every place answers' } = trouble ?? {};
    print(`lfs-depot: it cannot be told whether clones get ${sumOf(short.filter(isUntold))} of ${names}: ${message}`);
    hint(trouble, print);
  }
  if (known.some(({ isOwn }) => !isOwn)) {
    print(`  this clone uses another store: ${printable(store.place.name)} (${printable(found.endpoint.source)})`);
  }
  if (pointers.unseen > 0) {
    print(`lfs-depot: not in this clone, and not looked at: ${counted(pointers.unseen, 'file')} of ${names}`);
    print(`  to have the small ones: ${partialCure(found.remote)}`);
  }
}

export function showList<T>(items: T[], lineOf: (item: T) => string, print: Print, most = MOST_LINES): void {
  for (const item of items.slice(0, most)) print(lineOf(item));
  if (items.length > most) print(`    and ${items.length - most} more (--json shows all)`);
}

export function hint(error: DepotError | undefined, print: Print): void {
  if (error && error.cure !== '') print(`    hint: ${cureByTheWay(error).replaceAll('\n', '\n    ')}`);
}

/** Ten digits tell objects apart; the whole is in the JSON. */
export function lineOf({ oid, size, path }: Pick<Pointer, 'oid' | 'size'> & { path: string | undefined }): string {
  return `${oid.slice(0, 10)}  ${sizeText(size).padStart(9)}  ${path === undefined ? '(in no branch or tag)' : printable(path)}`;
}

function sumOf(objects: Pointer[]): string {
  return amountOf(
    objects.length,
    objects.reduce((sum, { size }) => sum + size, 0),
  );
}
