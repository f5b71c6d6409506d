import type { Archive } from './archive.ts';
import type { TargetName } from './targets.ts';

export interface Release {
  version: string;
  /** Of the GitHub repository. */
  owner: string;
  /** Seconds since 1970. */
  time: number;
  description: string;
  archives: Archive[];
}

/** What package managers want to know of a release: name of a file → its text. */
export function manifests(release: Release): Record<string, string> {
  const id = wingetId(release);
  return {
    'lfs-depot.json': scoop(release),
    'lfs-depot.rb': homebrew(release),
    [`${id}.yaml`]: wingetVersion(release),
    [`${id}.installer.yaml`]: wingetInstaller(release),
    [`${id}.locale.en-US.yaml`]: wingetLocale(release),
  };
}

export function repositoryUrl(owner: string): string {
  return `https://github.com/${owner}/lfs-depot`;
}

/** Where a file of a release will be. */
export function downloadUrl({ owner, version }: Pick<Release, 'owner' | 'version'>, file: string): string {
  return `${repositoryUrl(owner)}/releases/download/v${version}/${file}`;
}

function archiveOf(release: Release, name: TargetName): { url: string; hash: string } {
  const archive = release.archives.find(({ target }) => target.name === name);
  if (archive === undefined) throw new Error(`a release needs an archive for ${name}`);
  return { url: downloadUrl(release, archive.path.replace(/^.*\//, '')), hash: archive.sha256 };
}

/** https://github.com/ScoopInstaller/Scoop/wiki/App-Manifests */
function scoop(release: Release): string {
  const newer = (name: TargetName) => ({ url: archiveOf(release, name).url.replaceAll(release.version, '$version') });
  const manifest = {
    version: release.version,
    description: release.description,
    homepage: repositoryUrl(release.owner),
    license: 'MIT',
    notes: ['Once: git lfs install', 'Once: lfs-depot install'],
    suggest: { 'Git LFS': 'git-lfs' },
    architecture: { '64bit': archiveOf(release, 'win-x64'), arm64: archiveOf(release, 'win-arm64') },
    bin: 'lfs-depot.exe',
    checkver: { github: repositoryUrl(release.owner) },
    autoupdate: {
      architecture: { '64bit': newer('win-x64'), arm64: newer('win-arm64') },
      hash: { url: '$baseurl/SHA256SUMS' },
    },
  };
  return `${JSON.stringify(manifest, null, 4)}\n`;
}

/** https://docs.brew.sh/Formula-Cookbook */
function homebrew(release: Release): string {
  const source = (name: TargetName) => {
    const { url, hash } = archiveOf(release, name);
    return `      url "${url}"\n      sha256 "${hash}"`;
  };
  return `class LfsDepot < Formula
  desc "Git LFS objects in a folder, a share or on WebDAV, without an LFS server"
  homepage "${repositoryUrl(release.owner)}"
  version "${release.version}"
  license "MIT"

  depends_on "git-lfs"

  on_macos do
    on_arm do
${source('macos-arm64')}
    end
    on_intel do
${source('macos-x64')}
    end
  end

  on_linux do
    on_arm do
${source('linux-arm64')}
    end
    on_intel do
${source('linux-x64')}
    end
  end

  def install
    bin.install "lfs-depot"
  end

  def caveats
    "Once: git lfs install && lfs-depot install"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/lfs-depot --version")
  end
end
`;
}

const WINGET_SCHEMA = '1.6.0';

function wingetId({ owner }: Release): string {
  return `${owner}.lfs-depot`;
}

/** https://learn.microsoft.com/windows/package-manager/package/manifest; a YAML file of strings written as in JSON. */
function wingetYaml(release: Release, kind: 'version' | 'installer' | 'defaultLocale', lines: string[]): string {
  const schema = `https://aka.ms/winget-manifest.${kind}.${WINGET_SCHEMA}.schema.json`;
  return [
    `# yaml-language-server: $schema=${schema}`,
    `PackageIdentifier: ${JSON.stringify(wingetId(release))}`,
    `PackageVersion: ${JSON.stringify(release.version)}`,
    ...lines,
    `ManifestType: ${kind}`,
    `ManifestVersion: ${WINGET_SCHEMA}`,
    '',
  ].join('\n');
}

function wingetVersion(release: Release): string {
  return wingetYaml(release, 'version', ['DefaultLocale: en-US']);
}

function wingetInstaller(release: Release): string {
  const installers = (['win-x64', 'win-arm64'] as const).flatMap((name) => {
    const { url, hash } = archiveOf(release, name);
    return [
      `  - Architecture: ${name.replace('win-', '')}`,
      `    InstallerUrl: ${JSON.stringify(url)}`,
      `    InstallerSha256: ${JSON.stringify(hash.toUpperCase())}`,
    ];
  });
  return wingetYaml(release, 'installer', [
    'InstallerType: zip',
    'NestedInstallerType: portable',
    'NestedInstallerFiles:',
    '  - RelativeFilePath: lfs-depot.exe',
    '    PortableCommandAlias: lfs-depot',
    'Dependencies:',
    '  PackageDependencies:',
    '    - PackageIdentifier: GitHub.GitLFS',
    `ReleaseDate: ${new Date(release.time * 1000).toISOString().slice(0, 10)}`,
    'Installers:',
    ...installers,
  ]);
}

function wingetLocale(release: Release): string {
  return wingetYaml(release, 'defaultLocale', [
    'PackageLocale: en-US',
    'Publisher: the lfs-depot authors',
    'PackageName: lfs-depot',
    `PackageUrl: ${JSON.stringify(repositoryUrl(release.owner))}`,
    'License: MIT',
    `ShortDescription: ${JSON.stringify(release.description)}`,
  ]);
}
