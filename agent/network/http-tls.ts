import { createPrivateKey } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DepotError } from '../../backends/errors.ts';
import type { Tls } from '../../backends/webdav/options.ts';
import { type Given, givenBy, givenIn, readBoolean, readPath, refuse } from '../given.ts';
import { type CredentialOptions, type Filled, fillCredential, tellGit } from './git-credential.ts';
import type { UrlSettings } from './url-settings.ts';

/**
 * Whom to trust, and who we are, from http.ssl* and GIT_SSL_*, of which the variables go first. All files are PEM.
 * @throws DepotError `configuration` for a file that cannot be read or holds something else, with the setting's name;
 *   `credentials` for a certificate whose password git does not know.
 */
export async function tlsFor(http: UrlSettings, options: CredentialOptions): Promise<Tls> {
  const { env } = options;
  const verify = verifies(http, env);
  const ca = verify ? await authorities(http, env) : undefined;
  const none = { verify, ca, cert: undefined, key: undefined, passphrase: undefined };
  const certGiven = named(givenBy(env, 'GIT_SSL_CERT') ?? givenIn(http.get('sslcert')));
  if (!certGiven) return none;
  const certFile = await readPath(certGiven, env);
  const cert = await readPem(certGiven, certFile, CERTIFICATE, 'certificate');
  const keyGiven = named(givenBy(env, 'GIT_SSL_KEY') ?? givenIn(http.get('sslkey'))) ?? certGiven;
  const key = await readPem(keyGiven, await readPath(keyGiven, env), PRIVATE_KEY, 'private key');
  const passphrase = await passphraseFor(certFile, http, options);
  if (passphrase === undefined && /ENCRYPTED/.test(key)) {
    const cure = 'git config --global http.sslCertPasswordProtected true, or use a key without a password';
    throw refuse(keyGiven, 'its private key is protected by a password', cure);
  }
  if (passphrase !== undefined) await assertOpens(key, certFile, passphrase, options);
  return { ...none, cert, key, passphrase: passphrase?.credential.password };
}

/**
 * For git any GIT_SSL_NO_VERIFY turns the check off, `false` and an empty one too. git-lfs reads its value, and so
 * do we: whoever wrote `false` meant it.
 */
function verifies(http: UrlSettings, env: NodeJS.ProcessEnv): boolean {
  const off = env.GIT_SSL_NO_VERIFY?.toLowerCase();
  if (off !== undefined && !['', '0', 'f', 'false', 'n', 'no', 'off'].includes(off)) return false;
  const setting = givenIn(http.get('sslverify'));
  return setting ? readBoolean(setting) : true;
}

/** Undefined for the default ones. */
async function authorities(http: UrlSettings, env: NodeJS.ProcessEnv): Promise<string[] | undefined> {
  // Git for Windows sets sslCAInfo, and yet uses the certificate store of Windows where its backend is schannel.
  const useWith = givenIn(http.get('schannelusesslcainfo'));
  if (http.get('sslbackend')?.value === 'schannel' && !(useWith && readBoolean(useWith))) return undefined;
  const file = named(givenBy(env, 'GIT_SSL_CAINFO') ?? givenIn(http.get('sslcainfo')));
  const folder = named(givenBy(env, 'GIT_SSL_CAPATH') ?? givenIn(http.get('sslcapath')));
  if (!file && !folder) return undefined;
  const found = new Set<string>();
  if (file) found.add(await readPem(file, await readPath(file, env), CERTIFICATE, 'certificate'));
  if (folder) for (const pem of await readFolder(folder, await readPath(folder, env))) found.add(pem);
  return [...found];
}

const CERTIFICATE = /-----BEGIN (X509 |TRUSTED )?CERTIFICATE-----/;
const PRIVATE_KEY = /-----BEGIN ([A-Z]+ )*PRIVATE KEY-----/;

async function readPem(given: Given, file: string, wanted: RegExp, noun: string): Promise<string> {
  const text = await readText(given, file);
  if (wanted.test(text)) return text;
  throw refuse(given, `${file} holds no ${noun} in PEM form`, `name a PEM file with a ${noun}`);
}

async function readText(given: Given, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw unreadable(given, error);
  }
}

/** The certificates among the files of a folder: OpenSSL's own have others next to them. */
async function readFolder(given: Given, folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw unreadable(given, error);
  });
  // What cannot be read is left out: folders, dead links.
  const texts = await Promise.all(names.sort().map((name) => readFile(join(folder, name), 'utf8').catch(() => '')));
  const certificates = texts.filter((text) => CERTIFICATE.test(text));
  if (certificates.length > 0) return certificates;
  throw refuse(given, `${folder} holds no certificate in PEM form`, 'name a folder with PEM files');
}

function unreadable(given: Given, error: unknown): DepotError {
  return refuse(given, (error as Error).message, 'name a file that is there and that you may read');
}

/** For git an empty variable is one that is set; no file has an empty name. */
function named(given: Given | undefined): Given | undefined {
  return given?.value === '' ? undefined : given;
}

type Passphrase = Filled & { credential: { kind: 'password' } };

/** With http.sslCertPasswordProtected git asks its helpers for the password of `cert://<file>`. */
async function passphraseFor(
  file: string,
  http: UrlSettings,
  options: CredentialOptions,
): Promise<Passphrase | undefined> {
  const given =
    givenBy(options.env, 'GIT_SSL_CERT_PASSWORD_PROTECTED') ?? givenIn(http.get('sslcertpasswordprotected'));
  if (!given || !readBoolean(given)) return undefined;
  const filled = await fillCredential({ protocol: 'cert', host: '', path: file, username: '' }, options);
  if (filled && isPassphrase(filled)) return filled;
  throw new DepotError('credentials', {
    what: `cannot use the client certificate ${file}`,
    why: 'it is protected by a password that no credential helper of git knows',
    cure: `keep it with \`git credential approve\`, as protocol=cert, host=, path=${file}, username= and password=…`,
  });
}

function isPassphrase(filled: Filled): filled is Passphrase {
  return filled.credential.kind === 'password';
}

/** A wrong password is forgotten, as git does. */
async function assertOpens(
  key: string,
  certFile: string,
  { credential, description }: Passphrase,
  options: CredentialOptions,
) {
  try {
    createPrivateKey({ key, passphrase: credential.password });
  } catch (error) {
    await tellGit('reject', description, options);
    throw new DepotError('credentials', {
      what: `cannot use the client certificate ${certFile}`,
      why: `the password that git's credential helper gave does not open its key: ${(error as Error).message}`,
      cure: 'it is forgotten now: keep the right one there with `git credential approve`',
    });
  }
}
