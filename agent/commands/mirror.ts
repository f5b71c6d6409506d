import { existsSync } from 'node:fs';
import { DepotError, isKind, printable } from '../../backends/errors.ts';
import { formatLocation, type Location, parseLocation } from '../../backends/location.ts';
import { shellWord } from '../../backends/shell-word.ts';
import { type Config, placeOfSetting, readConfig } from '../config.ts';
import { editConfig, unsetIn } from '../config-edit.ts';
import { defaultEndpoint } from '../default-remote.ts';
import { findRepository } from '../git.ts';
import { readMarker } from '../marker.ts';
import { surroundings } from '../open-store.ts';
import type { Place } from '../places/place.ts';
import { isSame, MIRROR, mirrorNamed, type Places, placesOf } from '../places/places.ts';
import { cureByTheWay } from '../trust.ts';
import { resolveTyped } from '../typed-location.ts';
import { committedFile, groupAdvice, makeStore, type NewStore, type NewStoreOptions } from './new-store.ts';
import { allow } from './trust.ts';

type Print = (line: string) => void;

/** The file of a repository that names its mirrors. */
const FILE = '.lfsdepot';

/** Makes a second store for the objects of the repository at hand, and names it in `.lfsdepot`, to be committed. */
export async function addMirror(typed: string, options: NewStoreOptions, print: Print): Promise<void> {
  const cwd = process.cwd();
  const { file, worktree, repository } = await committedFile(FILE);
  const config = await readConfig(cwd, repository);
  const places = placesOf(await defaultEndpoint(cwd, config), config, worktree);
  const { primary, rule } = places;
  const wanted = resolveTyped(typed);
  if (isSame(primary.location, wanted))
    throw refused(wanted, 'it is the store itself', 'choose another place for the mirror');
  const made = await makeStore(typed, options, { folders: [worktree, repository.commonDir], config, print });
  const { location } = made;
  await refuseTwin(made, places);
  await allow(location, print);

  const name = formatLocation(location);
  const named = config.all(MIRROR).some(({ scope, value }) => scope === 'lfsdepot' && isNamed(value, location, config));
  if (!named) await editConfig(['--file', file, '--add', MIRROR, name], cwd);
  print(`${named ? `In ${FILE} already` : `Written to ${FILE}`}: ${MIRROR} = ${name}`);
  for (const line of groupAdvice(made)) print(line);
  print('\nNext:');
  print(`  git add ${FILE}\n  git commit -m "Keep a second copy of LFS objects" && git push`);
  print('  lfs-depot sync       brings what is in the store to the mirror, now and whenever you like');
  if (rule.to === 'primary') {
    print(`To send each push to all places at once: git config --file ${FILE} depot.write all`);
  }
  print(`Everybody else, once:\n  lfs-depot trust ${shellWord(name)}`);
  if (location.kind === 'webdav') print(`  lfs-depot login ${shellWord(name)}`);
}

/** Names the mirror no longer; its objects stay where they are. */
export async function removeMirror(typed: string, print: Print): Promise<void> {
  const { file, repository } = await committedFile(FILE);
  const location = resolveTyped(typed);
  const name = formatLocation(location);
  const config = await readConfig(process.cwd(), repository);
  const standing = config.all(MIRROR).filter(({ value }) => isNamed(value, location, config));
  const ours = standing.filter(({ scope }) => scope === 'lfsdepot' && existsSync(file));
  const [other] = standing.filter(({ scope }) => scope !== 'lfsdepot');
  if (standing.length === 0) throw notAMirror(name, 'none of that name is', 'see which are: lfs-depot mirror list');
  for (const { value } of ours) await unsetIn(file, MIRROR, value);
  if (ours.length > 0) {
    print(`No longer in ${FILE}: ${name}. Its objects stay there.`);
    print(`\nNext:\n  git add ${FILE}\n  git commit -m "One mirror less" && git push`);
  }
  if (!other) return;
  const unset = `git config --${other.scope} --unset-all ${MIRROR} ${shellWord(other.value)}`;
  throw notAMirror(name, `it stands in ${placeOfSetting(other)} too`, `run: ${unset}`);
}

/** Names all places, and why one is not used. Touches none of them. */
export async function listMirrors(json: boolean, print: Print): Promise<void> {
  const cwd = process.cwd();
  const repository = await findRepository(cwd);
  const config = await readConfig(cwd, repository);
  const {
    primary,
    mirrors,
    refused: unused,
    rule,
  } = placesOf(await defaultEndpoint(cwd, config), config, repository.worktree ?? cwd);
  const from = ({ location }: Place): string => {
    const setting = config.all(MIRROR).find(({ value }) => isNamed(value, location, config));
    return setting ? placeOfSetting(setting) : '';
  };
  if (json) {
    const list = [
      ...mirrors.map((mirror) => ({ location: mirror.name, from: from(mirror), used: true })),
      ...unused.map(({ text, error }) => ({ location: text, used: false, why: error.why, cure: cureByTheWay(error) })),
    ];
    print(JSON.stringify({ primary: primary.name, mirrors: list, write: rule.to, quorum: rule.quorum }, null, 2));
    return;
  }
  print(`${primary.name}\t(the store)`);
  for (const mirror of mirrors) print(`${mirror.name}\t(mirror, ${from(mirror)})`);
  for (const { text, error } of unused) {
    print(
      `${printable(text)}\t(mirror, not used: ${error.why})\n    → ${cureByTheWay(error).replaceAll('\n', '\n      ')}`,
    );
  }
  if (mirrors.length + unused.length === 0) print('There is no mirror: lfs-depot mirror add <location> makes one.');
  else print(RULES[rule.quorum === undefined ? rule.to : 'quorum'](rule.quorum ?? 0));
}

const RULES = {
  primary: () => '\nA push goes to the store; `lfs-depot sync` brings it to the mirrors. (depot.write = primary)',
  all: () => '\nA push goes to all places at once, and succeeds if the store has it. (depot.write = all)',
  quorum: (count: number) =>
    `\nA push goes to all places at once, and succeeds if ${count} of them have it. (depot.quorum = ${count})`,
};

/** One store by two names is no second copy. What does not answer now cannot be compared, and need not be. */
async function refuseTwin({ marker, location }: NewStore, { primary, mirrors }: Places): Promise<void> {
  for (const place of [primary, ...mirrors]) {
    if (isSame(place.location, location)) continue;
    try {
      const { backend } = await place.open();
      if ((await readMarker(backend)).id !== marker.id) continue;
    } catch (error) {
      if (error instanceof DepotError && !isKind(error, 'internal')) continue;
      throw error;
    }
    throw refused(location, `it is the same store as ${place.name}, by another name`, 'choose another place');
  }
}

/** By its text, or by what that means on this computer. */
function isNamed(value: string, location: Location, config: Config): boolean {
  const meanings = [() => parseLocation(value, surroundings()), () => mirrorNamed(value, config)];
  return meanings.some((meaning) => {
    try {
      return isSame(meaning(), location);
    } catch {
      return false;
    }
  });
}

function refused(location: Location, why: string, cure: string): DepotError {
  return new DepotError('configuration', { what: `cannot make ${formatLocation(location)} a mirror`, why, cure });
}

function notAMirror(name: string, why: string, cure: string): DepotError {
  return new DepotError('configuration', { what: `cannot take ${name} from the mirrors`, why, cure });
}
