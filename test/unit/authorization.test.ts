import { expect, test } from 'vitest';
import { type Authorization, authorization } from '../../backends/webdav/authorization.ts';
import type { Credential, WebOptions } from '../../backends/webdav/options.ts';
import { webFor } from '../conformance/web.ts';

const URL_OF_STORE = new URL('https://host/store/x');
const BASIC = ['Basic realm="r"'];
const digestOf = (nonce: string, more = ''): string[] => [`Digest realm="r", nonce="${nonce}", qop="auth"${more}`];

interface Watched {
  user: Authorization;
  /** What the source of credentials was asked and told. */
  heard: string[];
}

function watched(credential: Credential | undefined, headers: WebOptions['headers'] = []): Watched {
  const heard: string[] = [];
  const credentials: WebOptions['credentials'] = {
    find: async () => {
      heard.push('find');
      return credential;
    },
    accepted: async () => void heard.push('accepted'),
    refused: async () => void heard.push('refused'),
  };
  return { user: authorization({ ...webFor('', ''), credentials, headers }), heard };
}

const PASSWORD: Credential = { kind: 'password', username: 'ü', password: 'p:p' };

test('nobody is asked before the server asks, and then once', async () => {
  const { user, heard } = watched(PASSWORD);
  expect(user.headerFor('HEAD', URL_OF_STORE)).toBeUndefined();
  expect(heard).toEqual([]);
  await Promise.all([user.refusedWith(undefined, BASIC), user.refusedWith(undefined, BASIC)]);
  expect(heard).toEqual(['find']);
  const header = user.headerFor('HEAD', URL_OF_STORE);
  expect(header).toBe(`Basic ${Buffer.from('ü:p:p').toString('base64')}`);
  user.acceptedWith(header);
  user.acceptedWith(header);
  expect(heard).toEqual(['find', 'accepted']);
});

test('a wrong password is told to its source, and never sent again', async () => {
  const { user, heard } = watched(PASSWORD);
  await user.refusedWith(undefined, BASIC);
  expect(await user.refusedWith(user.headerFor('GET', URL_OF_STORE), BASIC)).toBe('refused');
  expect(user.verdict).toBe('refused');
  expect(user.headerFor('GET', URL_OF_STORE)).toBeUndefined();
  expect(heard).toEqual(['find', 'refused']);
});

test('of several requests that were refused at once, the source is told one time', async () => {
  const { user, heard } = watched(PASSWORD);
  await user.refusedWith(undefined, BASIC);
  const sent = user.headerFor('GET', URL_OF_STORE);
  await Promise.all([user.refusedWith(sent, BASIC), user.refusedWith(sent, BASIC)]);
  expect(heard).toEqual(['find', 'refused']);
});

test('without a known password it stays at one question', async () => {
  const { user, heard } = watched(undefined);
  expect(await user.refusedWith(undefined, BASIC)).toBe('unknown');
  expect(await user.refusedWith(undefined, BASIC)).toBe('unknown');
  expect(heard).toEqual(['find']);
});

test('a nonce that has run out is replaced, without a word to anybody', async () => {
  const { user, heard } = watched(PASSWORD);
  await user.refusedWith(undefined, digestOf('one'));
  const first = user.headerFor('PUT', URL_OF_STORE);
  expect(first).toContain('nonce="one"');
  expect(first).toContain('nc=00000001');
  expect(user.headerFor('PUT', URL_OF_STORE)).toContain('nc=00000002');
  user.acceptedWith(first);
  expect(await user.refusedWith(first, digestOf('two', ', stale=true'))).toBe('again');
  expect(user.headerFor('PUT', URL_OF_STORE)).toContain('nonce="two"');
  // A request that was under way with the old one learns that there is a new one.
  expect(await user.refusedWith(first, digestOf('three', ', stale=true'))).toBe('again');
  expect(heard).toEqual(['find', 'accepted']);
});

test('a server that calls every nonce stale is not asked for ever', async () => {
  const { user } = watched(PASSWORD);
  await user.refusedWith(undefined, digestOf('0'));
  let rounds = 1;
  for (; rounds < 20; rounds++) {
    const sent = user.headerFor('PUT', URL_OF_STORE);
    if ((await user.refusedWith(sent, digestOf(String(rounds), ', stale=true'))) !== 'again') break;
  }
  expect(rounds).toBeLessThan(8);
});

test('who was let in before is asked once more before the password counts as wrong', async () => {
  const { user, heard } = watched(PASSWORD);
  await user.refusedWith(undefined, BASIC);
  const sent = user.headerFor('GET', URL_OF_STORE);
  user.acceptedWith(sent);
  expect(await user.refusedWith(sent, BASIC)).toBe('again');
  expect(await user.refusedWith(sent, BASIC)).toBe('refused');
  expect(heard).toEqual(['find', 'accepted', 'refused']);
});

test('Digest goes before Basic, and other ways are refused without sending the password', async () => {
  const both = watched(PASSWORD).user;
  await both.refusedWith(undefined, [...BASIC, ...digestOf('n')]);
  expect(both.headerFor('GET', URL_OF_STORE)).toMatch(/^Digest /);
  const { user, heard } = watched(PASSWORD);
  expect(await user.refusedWith(undefined, ['Negotiate'])).toBe('impossible');
  expect(user.headerFor('GET', URL_OF_STORE)).toBeUndefined();
  expect(heard).toEqual(['find']);
});

test('a token is sent with its own scheme', async () => {
  const { user } = watched({ kind: 'token', scheme: 'Bearer', token: 'abc' });
  await user.refusedWith(undefined, ['Bearer']);
  expect(user.headerFor('GET', URL_OF_STORE)).toBe('Bearer abc');
});

test('a header of the user’s own goes before all, and nobody is asked when it is refused', async () => {
  const { user, heard } = watched(PASSWORD, [['authorization', 'Bearer x']]);
  expect(user.headerFor('GET', URL_OF_STORE)).toBeUndefined();
  expect(await user.refusedWith(undefined, BASIC)).toBe('header');
  expect(heard).toEqual([]);
});
