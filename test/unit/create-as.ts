import { configOf } from '../../agent/config.ts';
import { createStore } from '../../agent/create-store.ts';

/** Makes a store as somebody who is not root: `node create-as.ts <folder>` prints the outcome. */
if (process.getuid?.() === 0) {
  process.setgroups?.([54331]);
  process.setgid?.(54331);
  process.setuid?.(54331);
}
const { outcome } = await createStore({ kind: 'folder', path: process.argv[2] ?? '' }, false, configOf([]));
process.stdout.write(outcome);
