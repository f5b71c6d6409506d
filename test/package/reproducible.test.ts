import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Sandbox } from '../sandbox.ts';
import { PACKAGING, whyNoPackaging } from './packaged.ts';

// `scripts/package --check` does this with a whole release, in minutes.

let box: Sandbox;
beforeAll(() => {
  box = new Sandbox();
});
afterAll(() => box.remove());

test.skipIf(whyNoPackaging())(
  `the same sources in two places, at two times, give the same program ${whyNoPackaging() ?? ''}`,
  () => {
    const [one, other] = [packagedIn('one place'), packagedIn('another/place')];
    expect(one.equals(other)).toBe(true);
    // And it is not the same whatever it is made of.
    const changed = packagedIn('changed', (path) => {
      const main = `${path}/agent/main.ts`;
      writeFileSync(main, `${readFileSync(main, 'utf8')}\nprocess.title = 'changed';\n`);
    });
    expect(changed.equals(one)).toBe(false);
  },
  PACKAGING,
);

/** The program made in a copy of the working tree. */
function packagedIn(name: string, change: (copy: string) => void = () => {}): Buffer {
  const copy = box.path(name);
  const list = ['ls-files', '--cached', '--others', '--exclude-standard', '-z', 'agent', 'backends', 'scripts'];
  const sources = execFileSync('git', [...list, 'test/windows', 'package.json', 'package-lock.json'], {
    encoding: 'utf8',
  });
  for (const file of sources.split('\0').filter((path) => path !== '')) {
    mkdirSync(dirname(`${copy}/${file}`), { recursive: true });
    copyFileSync(file, `${copy}/${file}`);
  }
  mkdirSync(`${copy}/.tools`);
  symlinkSync(resolve('.tools/packaged'), `${copy}/.tools/packaged`);
  symlinkSync(resolve('node_modules'), `${copy}/node_modules`);
  change(copy);
  execFileSync('scripts/package', ['linux-x64'], { cwd: copy, stdio: ['ignore', 'ignore', 'inherit'] });
  return readFileSync(`${copy}/dist/package/linux-x64/lfs-depot`);
}
