/** Set by scripts/build: the version of package.json and the commit it was built from. */
declare const LFS_DEPOT_VERSION: string | undefined;
declare const LFS_DEPOT_COMMIT: string | undefined;

/** "0.1.0 (1a2b3c4d)"; "0.0.0 (source)" when it runs straight from the TypeScript files. */
export function versionText(): string {
  const version = typeof LFS_DEPOT_VERSION === 'string' ? LFS_DEPOT_VERSION : '0.0.0';
  const commit = typeof LFS_DEPOT_COMMIT === 'string' ? LFS_DEPOT_COMMIT : 'source';
  return `${version} (${commit})`;
}
