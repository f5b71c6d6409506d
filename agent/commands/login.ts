import { DepotError, printable } from '../../backends/errors.ts';
import { shellWord } from '../../backends/shell-word.ts';
import { checkLogin } from '../../backends/webdav/check-login.ts';
import type { Credential, WebOptions } from '../../backends/webdav/options.ts';
import type { Config } from '../config.ts';
import { placeOf } from '../network/credentials.ts';
import {
  type CredentialOptions,
  describeCredential,
  type Filled,
  fillCredential,
  tellGit,
} from '../network/git-credential.ts';
import { webOptionsFor } from '../network/http-settings.ts';
import { urlSettings } from '../network/url-settings.ts';
import { webPlaces } from './web-places.ts';

export interface LoginOptions {
  username?: string;
  /** The password comes from stdin, up to its end; goes with `username`. */
  passwordStdin?: boolean;
}

/**
 * Asks, in git's own way, for user name and password of a WebDAV location, tries them once on the server, and lets git's
 * credential helper keep them. Whether it did is looked at, because git does not tell.
 */
export async function login(typed: string | undefined, options: LoginOptions, print: (line: string) => void) {
  const { urls, config } = await webPlaces(typed);
  const password = options.passwordStdin ? await passwordOnStdin() : undefined;
  for (const url of urls) await loginTo(url, options.username, password, config, print);
}

const QUIET: CredentialOptions = { cwd: process.cwd(), env: process.env, note: () => {} };

interface Answer extends Filled {
  /** `known`: a helper had it; `asked`: git asked the user, or a helper did; `given`: on stdin. */
  from: 'known' | 'asked' | 'given';
}

async function loginTo(
  url: string,
  username: string | undefined,
  password: string | undefined,
  config: Config,
  print: (line: string) => void,
): Promise<void> {
  if (url.startsWith('http:')) {
    print(`warning: ${url} is not encrypted: the password travels readable for everybody on the way`);
  }
  const web = await webOptionsFor(url, config, process.env);
  refuseOwnHeader(url, web);
  let answer: Answer | undefined;
  const find = async (challenges: readonly string[]): Promise<Credential> => {
    answer = await obtain(url, username, password, challenges);
    return answer.credential;
  };
  // Git is told here, and not by whoever sends the request: only then it is known what to say.
  const credentials = { find, accepted: async () => {}, refused: async () => {} };
  const outcome = await checkLogin(url, { ...web, credentials });
  if (outcome === 'not-asked' || !answer) {
    print(`${url} lets anybody in: there is nothing to log in with, and nothing was kept.`);
    return;
  }
  if (outcome === 'refused') throw await refusal(url, answer);
  await tellGit('approve', answer.description, { ...QUIET, interactive: true });
  await assertKept(url, answer.credential, config);
  const had = answer.from === 'known' ? ', with what git knew already' : '';
  print(`Logged in to ${url} as ${nameOf(answer.credential)}${had}.`);
  if (!had) print("git's credential helper keeps the password: git-lfs can use the store now.");
}

/** Only when the server asks, so that nobody types a password for a server that is not there. */
async function obtain(
  url: string,
  username: string | undefined,
  password: string | undefined,
  challenges: readonly string[],
): Promise<Answer> {
  const place = { ...placeOf(url), username };
  if (password !== undefined) {
    const description = describeCredential([...Object.entries(place), ['password', password]]);
    return { credential: { kind: 'password', username: username ?? '', password }, description, from: 'given' };
  }
  const known = await fillCredential(place, { ...QUIET, challenges });
  if (known) return { ...known, from: 'known' };
  const asked = await fillCredential(place, { ...QUIET, challenges, interactive: true });
  if (asked) return { ...asked, from: 'asked' };
  throw new DepotError('credentials', {
    what: `cannot log in to ${url}`,
    why: 'git was given no user name and password',
    cure: `run it in a terminal, or give the password on stdin: lfs-depot login --username <name> --password-stdin ${shellWord(url)}`,
  });
}

async function refusal(url: string, { from, credential, description }: Answer): Promise<DepotError> {
  // What was given on stdin git never saw; the one it keeps for that name may be right.
  if (from !== 'given') await tellGit('reject', description, QUIET);
  const name = nameOf(credential);
  const again = `lfs-depot login ${shellWord(url)}`;
  if (from !== 'known') {
    return new DepotError('credentials', {
      what: `cannot log in to ${url}`,
      why: `the server refused the user name or the password of ${name}`,
      cure:
        `check both, then run: ${again} (servers lock people out after a few wrong ones)\n` +
        'where you log in with a second factor, make an app password for it (Nextcloud: Settings, Security)',
    });
  }
  const still = await fillCredential({ ...placeOf(url) }, QUIET);
  const gone = !still || !same(still.credential, credential);
  return new DepotError('credentials', {
    what: `cannot log in to ${url}`,
    why: `the server refused the password of ${name} that git knew`,
    cure: gone
      ? `git has forgotten it now; to type another, run: ${again}`
      : `git's credential helper cannot forget it: correct it there. ${WHICH_HELPERS}`,
  });
}

const WHICH_HELPERS = 'To see which there are: git config --show-origin --get-regexp "^credential"';

/** The agent will ask git without a user name: what it is given then must be what was typed now. */
async function assertKept(url: string, credential: Credential, config: Config): Promise<void> {
  const kept = await fillCredential(placeOf(url), QUIET);
  if (kept && same(kept.credential, credential)) return;
  const what = `cannot keep the password for ${url}`;
  const name = credential.kind === 'password' ? credential.username : undefined;
  const ofUser = name === undefined ? undefined : await fillCredential({ ...placeOf(url), username: name }, QUIET);
  if (kept && ofUser && same(ofUser.credential, credential)) {
    throw new DepotError('configuration', {
      what: `cannot use the store at ${url} as ${nameOf(credential)}`,
      why: `the password is right and kept, but git goes on with ${nameOf(kept.credential)} for that server`,
      cure: `git config --global credential.${new URL(url).origin}.username ${shellWord(name ?? '')}`,
    });
  }
  const helpers = urlSettings('credential', url, config).all('helper');
  const why =
    helpers.length > 0
      ? "it is right, but none of git's credential helpers kept it"
      : 'it is right, but git has no credential helper to keep it';
  throw new DepotError('configuration', { what, why, cure: `${helperAdvice(process.platform)}\nthen log in again` });
}

function helperAdvice(platform: NodeJS.Platform): string {
  const set = 'git config --global credential.helper';
  if (platform === 'win32') return `${set} manager`;
  if (platform === 'darwin') return `${set} osxkeychain`;
  return (
    `${set} libsecret    (in the keyring of the desktop, where git has that helper), or\n` +
    `${set} cache        (in memory, for 15 minutes), or\n` +
    `${set} store        (in plain text in a file of yours)`
  );
}

/** Tokens may be new each time. */
function same(one: Credential, other: Credential): boolean {
  if (one.kind !== 'password' || other.kind !== 'password') return one.kind === other.kind;
  return one.username === other.username && one.password === other.password;
}

function nameOf(credential: Credential): string {
  return credential.kind === 'password' ? `'${printable(credential.username)}'` : 'the owner of a token';
}

function refuseOwnHeader(url: string, { headers }: WebOptions): void {
  if (!headers.some(([name]) => name.toLowerCase() === 'authorization')) return;
  throw new DepotError('configuration', {
    what: `cannot log in to ${url}`,
    why: 'http.extraHeader has an Authorization for it, which goes before any login',
    cure: 'remove it; to see where it is set: git config --show-origin --get-regexp "^http\\..*extraheader$"',
  });
}

async function passwordOnStdin(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  const password = Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '');
  if (password !== '') return password;
  throw new DepotError('configuration', {
    what: 'cannot log in',
    why: 'there is no password on stdin',
    cure: 'pipe it in, or run it in a terminal without --password-stdin',
  });
}
