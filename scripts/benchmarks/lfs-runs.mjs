import { interleave } from './interleave.mjs';
import { contestant } from './measure.mjs';
import { expectCount, layOut, removeObjects, setAside } from './objects.mjs';

/**
 * Pushes to an empty store, pushes what is there already, and fetches into a clone without objects, each by git-lfs with every
 * program, in turns with the tools of that way. Resolves to way → what `interleave` found.
 *
 * @param programs name → `{ settings, objects, clear }`: git's settings for it; the folder of its store, if it keeps anything;
 *   how that is emptied, where it is not ours.
 * @param local the clone's own objects; @param given where a program that keeps nothing says that they are fetched to.
 */
export async function lfsRuns({ box, programs, count, size, local, given, tools, rounds, say }) {
  const each = (args, around) =>
    Object.fromEntries(
      Object.entries(programs).map(([name, program]) => {
        const command = {
          box,
          cwd: 'clone',
          command: 'git',
          args: [...program.settings, 'lfs', ...args],
          bytes: count * size,
        };
        return [name, contestant({ ...command, ...around(program) })];
      }),
    );
  const PUSH = ['push', '--all', 'origin'];
  const pushes = each(PUSH, ({ objects, clear = () => objects && removeObjects(objects) }) => ({
    before: clear,
    after: () => objects && expectCount(objects, count),
  }));
  const aside = box.path('aside');
  const fetches = each(['fetch', 'origin', 'HEAD'], ({ objects }) => ({
    before: () => {
      removeObjects(local);
      if (!objects) layOut(aside, given);
    },
    after: () => expectCount(local, count),
  }));
  const push = await interleave({ ...pushes, ...tools.push }, rounds, say);
  const again = await interleave(
    each(PUSH, () => ({})),
    rounds,
    say,
  );
  setAside(local, aside);
  return { push, again, fetch: await interleave({ ...fetches, ...tools.fetch }, rounds, say) };
}
