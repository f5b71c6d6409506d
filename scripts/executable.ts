/**
 * What every single executable of ours is made with: Node's "sea-config".
 *
 * No `execArgv`: an option of V8 makes it refuse the code caches of Node's own modules, which then take 10 ms longer to load
 * for one object (measured with `--no-rehash-snapshot`, which saves 3 at the start).
 */
export const EXECUTABLE = {
  disableExperimentalSEAWarning: true,
  // NODE_OPTIONS is for a developer's own Node: `--require` would be run here, and V8's options spoil the code cache.
  execArgvExtension: 'none',
};
