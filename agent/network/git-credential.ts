import { DepotError } from '../../backends/errors.ts';
import type { Credential } from '../../backends/webdav/options.ts';
import { runGit } from '../git.ts';
import { trace } from '../trace.ts';

/** What a credential is for, in the terms of git-credential(1). */
export interface Place {
  /** `https`, `http`; `cert` for the password of a client's certificate. */
  protocol: string;
  /** With its port, when that is not the default. */
  host: string;
  /** Without the leading slash. Git itself leaves it out for http(s) unless credential.useHttpPath is set. */
  path?: string | undefined;
  username?: string | undefined;
}

export interface Filled {
  credential: Credential;
  /** All that git said, to be given back to it as it is: expiry, refresh token and what later versions add. */
  description: string;
}

export interface CredentialOptions {
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** The server's `WWW-Authenticate` headers: helpers choose by them (git 2.41 and newer). */
  challenges?: readonly string[] | undefined;
  /** Git may ask the user, in its own way. Default: nothing and nobody is asked. */
  interactive?: boolean | undefined;
  /** Told, in one line without secrets, what git could not do. Default: the trace. */
  note?: ((line: string) => void) | undefined;
}

/**
 * `git credential fill`: what git's helpers know, or the user types. Undefined when that is nothing.
 * @throws DepotError `configuration` when there is no git, or a value cannot be put into the protocol.
 */
export async function fillCredential(place: Place, options: CredentialOptions): Promise<Filled | undefined> {
  const { protocol, host, path, username } = place;
  const { challenges = [], note = trace } = options;
  const question = describeCredential([
    // What a helper may answer with, besides a password (git 2.46 and newer). Others ignore lines they do not know.
    ['capability[]', 'authtype'],
    ['protocol', protocol],
    ['host', host],
    ['path', path],
    ['username', username],
    ...challenges.map((challenge): Field => ['wwwauth[]', challenge]),
  ]);
  const { status, stdout, stderr } = await credential('fill', question, options);
  if (status !== 0) {
    note(`git credential fill knows none for ${protocol}://${host}: ${gitsWords(stderr, status)}`);
    return undefined;
  }
  const found = parseCredential(stdout, note);
  return found && { credential: found, description: stdout };
}

/**
 * `git credential approve` or `reject`: tells git's helpers to keep or to forget. Never fails; whether a helper did it can
 * only be seen with another `fill`.
 */
export async function tellGit(verdict: 'approve' | 'reject', description: string, options: CredentialOptions) {
  const { note = trace } = options;
  try {
    const { status, stderr } = await credential(verdict, description, options);
    if (status !== 0) note(`git credential ${verdict} failed: ${gitsWords(stderr, status)}`);
  } catch (error) {
    note(`git credential ${verdict} failed: ${error instanceof DepotError ? error.message : 'internal error'}`);
  }
}

type Field = readonly [key: string, value: string | undefined];

/**
 * The lines of the protocol. There is no way to quote: a value with a line break would be two fields, and the path in a
 * committed location is somebody else's text. Git refuses carriage returns too (credential.protectProtocol).
 */
export function describeCredential(fields: readonly Field[]): string {
  let description = '';
  for (const [key, value] of fields) {
    if (value === undefined) continue;
    if (/[\0\r\n]/.test(value)) {
      throw new DepotError('configuration', {
        what: 'cannot ask git for a user name and password',
        why: `the ${key} holds a line break or a NUL`,
        cure: 'use a location, a user name and a password without them',
      });
    }
    description += `${key}=${value}\n`;
  }
  return `${description}\n`;
}

function parseCredential(description: string, note: (line: string) => void): Credential | undefined {
  const fields = new Map<string, string>();
  for (const line of description.split('\n')) {
    const end = line.indexOf('=');
    if (end > 0) fields.set(line.slice(0, end), line.slice(end + 1));
  }
  const [scheme, token, password] = ['authtype', 'credential', 'password'].map((key) => fields.get(key));
  if (scheme && token !== undefined) {
    if (!fields.has('continue')) return { kind: 'token', scheme, token };
    note(`the credential helper wants several rounds of ${scheme}, which this version does not do`);
    return undefined;
  }
  if (password === undefined) return undefined;
  return { kind: 'password', username: fields.get('username') ?? '', password };
}

function credential(verb: 'fill' | 'approve' | 'reject', input: string, options: CredentialOptions) {
  const { cwd, env, interactive } = options;
  if (interactive) return runGit(['credential', verb], { cwd, env, input, interactive });
  return runGit([...ASK_NOBODY, 'credential', verb], { cwd, env: withoutPrompts(env), input });
}

/**
 * Tried with git 2.39: GIT_ASKPASS goes before core.askPass, that before SSH_ASKPASS, and an empty one of them ends the
 * search. So an empty core.askPass, and no GIT_ASKPASS, is what starts no program; credential.interactive (newer git) is
 * also for helpers, as GCM_INTERACTIVE is for Git Credential Manager.
 */
const ASK_NOBODY = ['-c', 'core.askPass=', '-c', 'credential.interactive=false'];

function withoutPrompts(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { GIT_ASKPASS: _, SSH_ASKPASS: __, ...rest } = env;
  return { ...rest, GIT_TERMINAL_PROMPT: '0', GCM_INTERACTIVE: 'never' };
}

/** The lines of stderr that are git's own for certain: what a helper prints may be anything, secrets included. */
function gitsWords(stderr: string, status: number): string {
  const own = /^(git: 'credential-[\w-]+' is not a git command|fatal: could not read (Username|Password) for ).*$/gm;
  return stderr.match(own)?.join('; ') ?? `it ended with status ${status}`;
}
