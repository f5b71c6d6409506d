import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Archive, packArchive } from '../../scripts/packaging/archive.ts';
import { downloadUrl, manifests } from '../../scripts/packaging/manifests.ts';
import { releaseNotes } from '../../scripts/packaging/notes.ts';
import { TARGETS, type TargetName } from '../../scripts/packaging/targets.ts';
import { Sandbox } from '../sandbox.ts';
import { findProgram } from '../servers/installed.ts';
import { whyNoPackaging } from './packaged.ts';

/** Ruby reads Homebrew's formula, and YAML. */
const noRuby = findProgram('ruby') === undefined ? 'ruby is not installed' : undefined;

const VERSION: string = JSON.parse(readFileSync('package.json', 'utf8')).version;
const RELEASE = { version: VERSION, owner: 'somebody', time: 1_700_000_000, description: 'Says "it": all' };

let box: Sandbox;
let archives: Archive[];
let texts: Record<string, string>;
beforeAll(async () => {
  box = new Sandbox();
  if (whyNoPackaging() !== undefined) return;
  archives = [];
  for (const target of TARGETS) {
    const options = { version: VERSION, time: RELEASE.time, folder: box.path('packed'), effort: 'quick' } as const;
    archives.push(await packArchive(target, box.write('program', 1000), { LICENSE: 'MIT' }, options));
  }
  texts = manifests({ ...RELEASE, archives });
});
afterAll(() => box.remove());

/** What a manifest must say of a target. */
function expected(name: TargetName): { url: string; hash: string } {
  const { path } = archives.find(({ target }) => target.name === name)!;
  const hash = execFileSync('sha256sum', [path], { encoding: 'utf8' }).slice(0, 64);
  const file = path.replace(/^.*\//, '');
  expect(file).toMatch(new RegExp(`^lfs-depot-${VERSION}-${name}\\.(zip|tar\\.xz)$`));
  return { url: `https://github.com/somebody/lfs-depot/releases/download/v${VERSION}/${file}`, hash };
}

describe.skipIf(whyNoPackaging())(`manifests ${whyNoPackaging() ?? ''}`, () => {
  test("Scoop's names each archive with its hash", () => {
    const { architecture, version, bin, autoupdate } = JSON.parse(texts['lfs-depot.json']!);
    expect({ version, bin }).toEqual({ version: VERSION, bin: 'lfs-depot.exe' });
    expect(architecture).toEqual({ '64bit': expected('win-x64'), arm64: expected('win-arm64') });
    const newer = autoupdate.architecture['64bit'].url.replaceAll('$version', VERSION);
    expect(newer).toBe(expected('win-x64').url);
  });

  test.skipIf(noRuby)(`Homebrew's is Ruby that names each archive with its hash ${noRuby ?? ''}`, () => {
    const formula = box.write('lfs-depot.rb', texts['lfs-depot.rb']!);
    expect(execFileSync('ruby', ['-c', formula], { encoding: 'utf8' })).toContain('Syntax OK');
    // Homebrew's words, as far as the formula uses them, each collecting what it is given: no Homebrew is at hand.
    const homebrew = box.write(
      'homebrew.rb',
      `require 'json'
      class Formula
        @@found = {}; @@at = []
        def self.method_missing(word, *given) = given.empty? ? nil : @@found[(@@at + [word]).join('.')] = given.first
        %i[on_macos on_linux on_arm on_intel].each { |where| define_singleton_method(where) { |&body| @@at.push(where); body.call; @@at.pop } }
        def self.test = nil
        def self.found = @@found
      end
      load ARGV.first
      puts Formula.found.to_json`,
    );
    const found = JSON.parse(execFileSync('ruby', [homebrew, formula], { encoding: 'utf8' }));
    const places = { 'on_macos.on_arm': 'macos-arm64', 'on_macos.on_intel': 'macos-x64' } as const;
    const linux = { 'on_linux.on_arm': 'linux-arm64', 'on_linux.on_intel': 'linux-x64' } as const;
    for (const [place, name] of Object.entries({ ...places, ...linux }))
      expect({ url: found[`${place}.url`], hash: found[`${place}.sha256`] }).toEqual(expected(name));
    expect(found).toMatchObject({ version: VERSION, license: 'MIT', depends_on: 'git-lfs' });
  });

  test.skipIf(noRuby)(`winget's are three files of YAML that belong together ${noRuby ?? ''}`, () => {
    const id = 'somebody.lfs-depot';
    const [version, installer, locale] = ['', '.installer', '.locale.en-US'].map((part) =>
      fromYaml(texts[`${id}${part}.yaml`]!),
    );
    for (const manifest of [version, installer, locale])
      expect(manifest).toMatchObject({ PackageIdentifier: id, PackageVersion: VERSION, ManifestVersion: '1.6.0' });
    expect([version, installer, locale].map(({ ManifestType }) => ManifestType)).toEqual([
      'version',
      'installer',
      'defaultLocale',
    ]);
    expect(version.DefaultLocale).toBe(locale.PackageLocale);
    expect(locale.ShortDescription).toBe(RELEASE.description);
    expect(installer).toMatchObject({
      InstallerType: 'zip',
      NestedInstallerType: 'portable',
      NestedInstallerFiles: [{ RelativeFilePath: 'lfs-depot.exe', PortableCommandAlias: 'lfs-depot' }],
    });
    const names = { x64: 'win-x64', arm64: 'win-arm64' } as const;
    expect(installer.Installers).toHaveLength(2);
    for (const { Architecture, InstallerUrl, InstallerSha256 } of installer.Installers)
      expect({ url: InstallerUrl, hash: InstallerSha256.toLowerCase() }).toEqual(
        expected(names[Architecture as keyof typeof names]),
      );
  });

  test('the file that a manifest wants started is in the archive, where it says', () => {
    const { path } = archives.find(({ target }) => target.name === 'win-x64')!;
    expect(execFileSync('unzip', ['-Z1', path], { encoding: 'utf8' }).split('\n')).toContain('lfs-depot.exe');
  });
});

test('the notes of a release say the version, the changes and what was not run', () => {
  const notes = releaseNotes(VERSION);
  expect(notes).toContain(`lfs-depot-${VERSION}-win-x64.zip`);
  expect(notes).toContain('The folder backend');
  expect(notes).not.toMatch(/\{\w+\}/);
  expect(notes).toMatch(/not run: both programs for macOS/);
  expect(() => releaseNotes('99.0.0')).toThrow('CHANGELOG.md says nothing of 99.0.0');
});

describe.skipIf(noRuby)(`the workflows ${noRuby ?? ''}`, () => {
  const workflow = (name: string) => fromYaml(readFileSync(`.github/workflows/${name}.yml`, 'utf8'));

  test('run what a developer runs', () => {
    const { run } = workflow('ci').jobs.test.steps.at(-1);
    expect(run).toContain('scripts/test');
  });

  test('a tag that is not the version of package.json is refused', async () => {
    const { run } = workflow('release').jobs.draft.steps.find(({ name }: { name?: string }) =>
      name?.startsWith('The tag'),
    );
    const tag = (name: string) => box.run('bash', ['-ec', run], { cwd: process.cwd(), env: { GITHUB_REF_NAME: name } });
    expect((await tag(`v${VERSION}`)).status).toBe(0);
    expect(await tag('v99.0.0')).toMatchObject({ status: 1, stdout: expect.stringContaining('v99.0.0') });
  });

  test('what is published was tried on every platform first', () => {
    const { draft, try: tried, publish } = workflow('release').jobs;
    expect([draft.needs, tried.needs, publish.needs]).toEqual([undefined, 'draft', 'try']);
    const targets = tried.strategy.matrix.include.map(({ target }: { target: string }) => target);
    expect(targets.sort()).toEqual(TARGETS.map(({ name }) => name).sort());
  });
});

test('a download is where GitHub puts a file of a release', () => {
  expect(downloadUrl({ owner: 'o', version: '1.2.3' }, 'f.zip')).toBe(
    'https://github.com/o/lfs-depot/releases/download/v1.2.3/f.zip',
  );
});

function fromYaml(text: string) {
  const program = 'require "yaml"; require "json"; puts YAML.safe_load(STDIN.read, permitted_classes: [Date]).to_json';
  return JSON.parse(execFileSync('ruby', ['-rdate', '-e', program], { input: text, encoding: 'utf8' }));
}
