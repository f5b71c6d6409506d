import { expect, test } from 'vitest';
import { pathsBelow } from '../../backends/webdav/paths.ts';

test.each([
  ['https://host/dav', 'aa/bb', 'https://host/dav/aa/bb'],
  ['https://host', 'aa', 'https://host/aa'],
  ['https://host/My%20Files', 'a b/ü#?%41', 'https://host/My%20Files/a%20b/%C3%BC%23%3F%2541'],
])('below %s the file %s is %s', (root, path, url) => {
  expect(pathsBelow(root).file(path).href).toBe(url);
  expect(pathsBelow(root).folder(path).href).toBe(`${url}/`);
  expect(pathsBelow(root).pathOf(new URL(url).pathname)).toBe(path);
  expect(pathsBelow(root).pathOf(`${url}/`)).toBe(path);
});

test.each([
  ['/dav/', ''],
  ['/dav', ''],
  ['https://host/dav/', ''],
  ['/dav/a', 'a'],
  ['/dav/a%2Fb', 'a/b'],
  ['/davx/a', undefined],
  ['/other', undefined],
  ['/dav/%zz', undefined],
])('an href of %s names %s', (href, path) => {
  expect(pathsBelow('https://host/dav').pathOf(href)).toBe(path);
});

test('a server may spell the same address with other escapes', () => {
  expect(pathsBelow('https://host/it%27s').pathOf("/it's/x")).toBe('x');
  expect(pathsBelow("https://host/it's").pathOf('/it%27s/x')).toBe('x');
});
