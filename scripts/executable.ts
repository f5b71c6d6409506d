/**
 * V8's options of the program. V8 takes a code cache only under the options that it was made with, so whoever makes one names
 * them, too.
 *
 * `--no-rehash-snapshot`: Node starts from a snapshot of its heap, and 3 ms of the 25 go into giving its hash tables another seed
 * (measured, Node 26). A seed that is known lets whoever chooses the names in a table slow it down. What comes from outside here
 * is small and bounded, and a server that wants to be slow need only be slow.
 */
export const V8_OPTIONS = ['--no-rehash-snapshot'];

/** What every single executable of ours is made with: Node's "sea-config". */
export const EXECUTABLE = {
  disableExperimentalSEAWarning: true,
  execArgv: V8_OPTIONS,
  // NODE_OPTIONS is for a developer's own Node: `--require` would be run here, and V8's options spoil the code cache.
  execArgvExtension: 'none',
};
