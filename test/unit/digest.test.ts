import { expect, test } from 'vitest';
import { type Challenge, digestHeader, isDigest, parseChallenges } from '../../backends/webdav/digest.ts';

const MUFASA = { username: 'Mufasa', password: 'Circle of Life' };
const CNONCE = 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ';

/** RFC 7616 §3.9.1 has both, with their answers. */
const RFC_7616 = [
  'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, ' +
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"',
  'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=MD5, ' +
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"',
];

test.each([
  ['SHA-256', 0, '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
  ['MD5', 1, '8ca523f5e9506fed4657c9700eebdbec'],
])('the example of RFC 7616 with %s comes out as there', (_, index, response) => {
  const challenge = parseChallenges([RFC_7616[index]!])[0]!;
  const header = digestHeader(challenge, MUFASA, { method: 'GET', uri: '/dir/index.html', count: 1, cnonce: CNONCE });
  expect(header).toContain(`response="${response}"`);
  expect(header).toContain('nc=00000001');
  expect(header).toContain('qop=auth,');
  expect(header).toContain('opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"');
});

test('the example of RFC 2069, without a quality of protection, comes out as its erratum says', () => {
  const challenge = parseChallenges([
    'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"',
  ])[0]!;
  const user = { username: 'Mufasa', password: 'CircleOfLife' };
  const header = digestHeader(challenge, user, { method: 'GET', uri: '/dir/index.html', count: 1 });
  expect(header).toContain('response="1949323746fe6a43ef61f9606e7febea"');
  expect(header).not.toContain('nc=');
});

test('a colon, a quote and other letters in name and password stay what they are', () => {
  const challenge: Challenge = { scheme: 'digest', parameters: { realm: 'a "b"', nonce: 'n', qop: 'auth' } };
  const user = { username: 'jö"rg', password: 'a:b:c' };
  const header = digestHeader(challenge, user, { method: 'PUT', uri: '/x', count: 255 });
  expect(header).toContain('username="jö\\"rg"');
  expect(header).toContain('realm="a \\"b\\""');
  expect(header).toContain('nc=000000ff');
});

test('several challenges in one header, and in several, are told apart', () => {
  const challenges = parseChallenges([
    'Basic realm="simple, with a comma", Digest realm="d", nonce="n", qop="auth", stale=TRUE',
    'Bearer',
    'Negotiate',
  ]);
  expect(challenges.map(({ scheme }) => scheme)).toEqual(['basic', 'digest', 'bearer', 'negotiate']);
  expect(challenges[0]!.parameters).toEqual({ realm: 'simple, with a comma' });
  expect(challenges[1]!.parameters).toEqual({ realm: 'd', nonce: 'n', qop: 'auth', stale: 'TRUE' });
});

test.each([
  ['Digest realm="r", nonce="n", algorithm=MD5-sess, qop="auth"', true],
  ['Digest realm="r", nonce="n", algorithm=sha-512-256, qop="auth-int,auth"', true],
  ['Digest realm="r", nonce="n", qop="auth-int"', false],
  ['Digest realm="r", nonce="n", algorithm=WHIRLPOOL', false],
  ['Basic realm="r"', false],
])('whether %s can be answered: %s', (header, can) => {
  expect(isDigest(parseChallenges([header])[0]!)).toBe(can);
});
