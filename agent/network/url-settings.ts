import type { Config, Setting } from '../config.ts';

/** The settings of one section that apply to one URL. Names as git prints them, in lower case. */
export interface UrlSettings {
  /** The one that counts. */
  get(name: string): Setting | undefined;
  /** For settings that may be given several times, in the order in which git takes them. */
  all(name: string): Setting[];
}

/**
 * `<section>.<name>` and `<section>.<url>.<name>`, matched to a URL exactly as git does (its urlmatch.c; `http.<url>.*` in
 * git-config(1)): scheme, host with `*` for a label, port, path by whole segments, user name; the most specific
 * counts, and of equals the last. A less specific one that comes first is passed on too, as git does: that is how
 * `http.extraHeader` and `http.<url>.extraHeader` add up.
 */
export function urlSettings(section: string, url: string, config: Config): UrlSettings {
  const target = normalize(url, false);
  const best = new Map<string, Match>();
  const taken: { name: string; setting: Setting }[] = [];
  for (const setting of config.settings) {
    if (!setting.key.startsWith(`${section}.`)) continue;
    const key = setting.key.slice(section.length + 1);
    const dot = key.lastIndexOf('.');
    const name = key.slice(dot + 1);
    const match = dot < 0 ? EVERY_URL : target && matchUrl(target, normalize(key.slice(0, dot), true));
    if (!match || compare(match, best.get(name) ?? EVERY_URL) < 0) continue;
    best.set(name, match);
    taken.push({ name, setting });
  }
  return {
    get: (name) => taken.findLast((entry) => entry.name === name)?.setting,
    all: (name) => taken.filter((entry) => entry.name === name).map((entry) => entry.setting),
  };
}

/** How specific a match is, first to last. */
interface Match {
  host: number;
  path: number;
  user: boolean;
}

const EVERY_URL: Match = { host: 0, path: 0, user: false };

function compare(one: Match, other: Match): number {
  return one.host - other.host || one.path - other.path || Number(one.user) - Number(other.user);
}

function matchUrl(url: Parts, pattern: Parts | undefined): Match | undefined {
  if (!pattern || pattern.scheme !== url.scheme || pattern.port !== url.port) return undefined;
  if (pattern.user !== undefined && pattern.user !== url.user) return undefined;
  const labels = labelsOf(url.host);
  const wanted = labelsOf(pattern.host);
  if (labels.length !== wanted.length) return undefined;
  if (!wanted.every((label, index) => label === '*' || label === labels[index])) return undefined;
  const prefix = pattern.path.replace(/\/$/, '');
  if (url.path !== prefix && !url.path.startsWith(`${prefix}/`)) return undefined;
  return { host: pattern.host.length, path: prefix.length + 1, user: pattern.user !== undefined };
}

function labelsOf(host: string): string[] {
  return host === '' ? [] : host.replace(/\.$/, '').split('.');
}

/** Bytes, one a character. */
interface Parts {
  scheme: string;
  user: string | undefined;
  host: string;
  /** Empty for the scheme's own. */
  port: string;
  /** Starts with a slash. */
  path: string;
}

/**
 * The one spelling of a URL, as far as it can match a location: those have a host, and neither `?` nor `#`. Undefined for
 * anything else, and for what git takes for no URL.
 */
function normalize(text: string, stars: boolean): Parts | undefined {
  const bytes = Buffer.from(text, 'utf8').toString('latin1');
  const pattern = /^([a-z][a-z0-9+.-]*):\/\/(?:([^@/?#]*)@)?([^/?#]+?)(?::([0-9]*))?(\/[^?#]*)?$/i;
  const [whole, scheme = '', login, host = '', port, path = '/'] = pattern.exec(bytes) ?? [];
  if (whole === undefined || !(stars ? /^[a-z0-9._[:\]*-]+$/i : /^[a-z0-9._[:\]-]+$/i).test(host)) return undefined;
  const user = login === undefined ? undefined : escapes(login)?.split(':')[0];
  const segments = segmentsOf(path);
  if (!segments || (login !== undefined && user === undefined)) return undefined;
  const parts = { scheme: scheme.toLowerCase(), user, host: host.toLowerCase(), path: `/${segments.join('/')}` };
  return { ...parts, port: portOf(port, parts.scheme) };
}

function portOf(text: string | undefined, scheme: string): string {
  const port = (text ?? '').replace(/^0+(?=.)/, '');
  return (scheme === 'http' && port === '80') || (scheme === 'https' && port === '443') ? '' : port;
}

/** Dot segments resolved, escapes in one form. Undefined where `..` leads out of the top. */
function segmentsOf(path: string): string[] | undefined {
  const out: string[] = [];
  for (const segment of path.slice(1).split('/')) {
    const form = escapes(segment);
    if (form === undefined || (form === '..' && out.length === 0)) return undefined;
    if (form === '..') out.pop();
    else if (form !== '.') out.push(form);
  }
  return out;
}

const UNSAFE = /[\0-\x20\x7f-\xff<>"%{}|\\^`]/;
const RESERVED = /[:/?#[\]@!$&'()*+,;=]/;

/** Each escape in the one form it can have: none where none is needed. Undefined for one that is not valid. */
function escapes(text: string): string | undefined {
  if (/%(?![0-9a-f]{2})/i.test(text)) return undefined;
  return text.replace(/%([0-9a-f]{2})|./gis, (found, hex: string | undefined) => {
    const character = hex === undefined ? found : String.fromCharCode(Number.parseInt(hex, 16));
    if (!UNSAFE.test(character) && !(hex !== undefined && RESERVED.test(character))) return character;
    return `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}
