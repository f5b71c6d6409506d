import fc from 'fast-check';

interface Plain {
  scheme: string;
  user: string;
  host: string;
  port: string;
  path: string;
}

const plain: fc.Arbitrary<Plain> = fc.record({
  scheme: fc.constantFrom('https', 'https', 'https', 'https', 'http'),
  user: fc.constantFrom('', '', '', '', 'u@', 'u:p@', 'u@', 'v@', '@'),
  host: fc.constantFrom('a.ex.com', 'a.ex.com', 'a.ex.com', 'ex.com', '[::1]'),
  port: fc.constantFrom('', '', '', ':8080'),
  path: fc.constantFrom(
    '',
    '/a',
    '/a',
    '/ab',
    '/a/b',
    '/a/b',
    '/a/b/c',
    '/~a',
    '/é',
    '/a b',
    '/a[b]',
    '/a/@',
    '/A',
    '/a//b',
  ),
});

const SPELLINGS: ((url: Plain) => Partial<Plain>)[] = [
  () => ({}),
  () => ({}),
  ({ scheme }) => ({ scheme: scheme.toUpperCase() }),
  ({ host }) => ({ host: host.toUpperCase() }),
  ({ host }) => ({ host: `${host}.` }),
  ({ host }) => ({ host: host.replace(/^[^.]*/, '*') }),
  ({ host }) => ({ host: host.replace(/\.[^.]*/, '.*') }),
  ({ scheme, port }) => ({ port: port || (scheme === 'https' ? ':443' : ':80') }),
  ({ scheme, port }) => ({ port: port || (scheme === 'https' ? ':80' : ':443') }),
  ({ port }) => ({ port: port.replace(':', ':00') || ':' }),
  ({ path }) => ({ path: `${path}/` }),
  ({ path }) => ({ path: `${path}/.` }),
  ({ path }) => ({ path: `${path}/x/..` }),
  ({ path }) => ({ path: `/x/..${path}` }),
  ({ path }) => ({ path: `/.${path || '/'}` }),
  ({ path }) => ({ path: path.replace('/', '//') }),
  ({ path }) => ({ path: escapeAll(path, (hex) => hex.toUpperCase()) }),
  ({ path }) => ({ path: escapeAll(path, (hex) => hex) }),
  ({ path }) => ({ path: path.replace('/b', '%2Fb').replace('/a', '/%61') }),
  ({ path }) => ({ path: path.replace('[', '%5b').replace('@', '%40') }),
  ({ path }) => ({ path: `${path}/%2e%2E` }),
  ({ path }) => ({ path: `${path}/../..` }),
  ({ user }) => ({ user: escapeAll(user, (hex) => hex) }),
  ({ user }) => ({ user: user.replace('u', 'u%40') }),
  ({ path }) => ({ path: `${path}?q` }),
  ({ path }) => ({ path: `${path}#f` }),
  ({ path }) => ({ path: `${path}/%zz` }),
  ({ path }) => ({ path: `${path}/%25zz` }),
  () => ({ port: ':x' }),
  () => ({ port: ':0' }),
  () => ({ host: '' }),
  () => ({ host: 'a.é.com' }),
  () => ({ scheme: 'file' }),
];

/** One of a few URLs that are near each other, in one of its many spellings: so that most patterns nearly apply to most. */
export const spelledUrl: fc.Arbitrary<string> = fc
  .tuple(plain, fc.constantFrom(...SPELLINGS), fc.constantFrom(...SPELLINGS))
  .map(([start, first, second]) => {
    const once = { ...start, ...first(start) };
    const { scheme, user, host, port, path } = { ...once, ...second(once) };
    return `${scheme}://${user}${host}${port}${path}`;
  });

function escapeAll(text: string, form: (hex: string) => string): string {
  return [...text].map((each) => (each === '/' || each === '@' ? each : escaped(each, form))).join('');
}

function escaped(text: string, form: (hex: string) => string): string {
  return [...Buffer.from(text)].map((byte) => `%${form(byte.toString(16).padStart(2, '0'))}`).join('');
}
