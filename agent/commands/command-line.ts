import { Argument, Command, CommanderError } from 'commander';
import { describe } from '../../backends/errors.ts';
import { versionText } from '../version.ts';

/** Runs what was typed. Resolves to the exit status: 0 done, 1 problem found, 2 wrong usage. */
export async function runCommandLine(args: string[]): Promise<number> {
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  // `lfs-depot init … | head` must not stop half-way because nobody reads on.
  process.stdout.on('error', () => {});
  let status = 0;
  const program = new Command('lfs-depot')
    .description(
      'Keeps Git LFS objects in a folder, on a network share or on a WebDAV server you already have: no LFS server.',
    )
    .version(versionText(), '--version')
    .helpOption('-h, --help', 'show help')
    .helpCommand(false)
    .showHelpAfterError('(lfs-depot --help shows all commands)')
    .exitOverride()
    .addHelpText('after', FIRST_STEPS);

  program
    .command('install')
    .description('tell git-lfs about lfs-depot, once per person')
    .option('--system', 'for all users of this computer')
    .option('--file-remotes', 'also for repositories whose git remote is itself a folder or a share')
    .action(async ({ system, fileRemotes }) => {
      const scope = system ? 'system' : 'global';
      await (await import('./install.ts')).install({ scope, fileRemotes: fileRemotes === true }, print);
    });
  program
    .command('uninstall')
    .description('take back what install wrote')
    .option('--system', 'what install --system wrote')
    .action(async ({ system }) => (await import('./uninstall.ts')).uninstall(system ? 'system' : 'global', print));
  program
    .command('init')
    .description('make a store, and let this repository use it')
    .argument('<location>', 'like //server/share/art, /srv/lfs/art, D:/lfs or https://server/folder')
    .option('--adopt', 'take over the objects that lfs-folderstore or git-lfs-webdav put there')
    .option('--keep-drive', 'on Windows: leave a network drive as typed, instead of naming its share')
    .action(async (location, { adopt, keepDrive }) =>
      (await import('./init.ts')).init(location, { adopt: adopt === true, keepDrive: keepDrive === true }, print),
    );
  program
    .command('trust')
    .description('allow a location that came with a clone')
    .argument('[location]', 'default: the one that this repository names')
    .option('--mirrors', 'without a location: the mirrors that this repository names, too')
    .option('--list', 'show what is allowed')
    .option('--remove <location>', 'allow it no longer')
    .option('--json', 'with --list: for programs')
    .action(async (location, options, command: Command) => {
      const chosen = [location, options.list, options.remove].filter((choice) => choice !== undefined);
      if (chosen.length > 1) command.error('error: a location, --list and --remove exclude each other');
      if (options.mirrors && chosen.length > 0) {
        command.error('error: --mirrors stands alone: it is for the mirrors of the repository at hand');
      }
      if (options.json && !options.list) command.error('error: --json goes with --list');
      await (await import('./trust.ts')).trust(location, options, print);
    });
  program
    .command('login')
    .description('let git keep user name and password of a WebDAV location, and check them')
    .argument('[location]', 'default: the one that this repository names')
    .option('--username <name>', 'who you are there')
    .option('--password-stdin', 'with --username: read the password from stdin')
    .action(async (location, options, command: Command) => {
      if (options.passwordStdin && options.username === undefined) {
        command.error('error: --password-stdin goes with --username');
      }
      await (await import('./login.ts')).login(location, options, print);
    });
  program
    .command('logout')
    .description('let git forget them')
    .argument('[location]', 'default: the one that this repository names')
    .action(async (location) => (await import('./logout.ts')).logout(location, print));
  program
    .command('offline')
    .description('keep what is pushed on this computer, while the store is out of reach')
    .addArgument(
      new Argument('[mode]', 'auto: only when the store does not answer; default: show it').choices([
        'on',
        'off',
        'auto',
      ]),
    )
    .option('--global', 'in all your clones')
    .action(async (mode, { global }) => (await import('./offline.ts')).offline(mode, global === true, print));
  program
    .command('sync')
    .description('deliver what waits on this computer, and bring mirrors up to date')
    .option('--all', 'everything that the places hold, not only what this repository needs')
    .option('--json', 'for programs')
    .action(async ({ all, json }) => {
      const { sync } = await import('./sync.ts');
      if (!(await sync({ all: all === true, json: json === true }, print))) status = 1;
    });
  const mirror = program
    .command('mirror')
    .description('more places for the objects of this repository: read where one fails, a second copy of all')
    .helpCommand(false)
    .hook('preSubcommand', refuseUnknown);
  mirror
    .command('add')
    .description('make one, and name it in .lfsdepot')
    .argument('<location>', 'as for init')
    .option('--adopt', 'take over the objects that lfs-folderstore or git-lfs-webdav put there')
    .option('--keep-drive', 'on Windows: leave a network drive as typed, instead of naming its share')
    .action(async (location, { adopt, keepDrive }) => {
      const options = { adopt: adopt === true, keepDrive: keepDrive === true };
      await (await import('./mirror.ts')).addMirror(location, options, print);
    });
  mirror
    .command('remove')
    .description('use one no longer; its objects stay there')
    .argument('<location>')
    .action(async (location) => (await import('./mirror.ts')).removeMirror(location, print));
  mirror
    .command('list', { isDefault: true })
    .description('show all places')
    .option('--json', 'for programs')
    .action(async ({ json }) => (await import('./mirror.ts')).listMirrors(json === true, print));
  program
    .command('status')
    .description('show which large files are in the store, and what a fresh clone would miss')
    .argument('[ref...]', 'whose history to look at; default: HEAD')
    .option('--all', 'all branches and tags')
    .option('--check', 'print nothing and end with 0 if clones would be complete: for hooks and CI')
    .option('--pre-push', 'the same of what is pushed, for a pre-push hook: reads its input')
    .option('--for-prune', 'tell whether `git lfs prune` would delete a last copy')
    .option('--json', 'for programs')
    .action(async (refs: string[], options, command: Command) => {
      if (options.all && refs.length > 0) command.error('error: refs and --all exclude each other');
      if (options.forPrune && (options.all || options.check || options.prePush || refs.length > 0)) {
        command.error('error: --for-prune goes with --json only');
      }
      if (options.prePush && (options.all || refs.length > 0)) {
        command.error('error: with --pre-push, git tells on stdin what to look at: no refs, no --all');
      }
      if (options.prePush && process.stdin.isTTY) {
        command.error('error: --pre-push is for a hook: it reads what git writes to one; see --check');
      }
      const { all = false, check = false, prePush = false, forPrune = false, json = false } = options;
      const { status: show } = await import('./status.ts');
      if (!(await show({ refs, all, check, prePush, forPrune, json }, print))) status = 1;
    });
  program
    .command('doctor')
    .description('check everything from git to the store')
    .argument('[location]', 'default: the one of this repository')
    .option('--json', 'for programs')
    .action(async (location, { json }) => {
      if (!(await (await import('./doctor.ts')).doctor(location, json === true, print))) status = 1;
    });
  program
    .command('agent')
    .description('what git-lfs starts; not to be typed')
    .argument('[location]', 'goes before all settings');

  try {
    if (args.length === 0) {
      await runBare(print);
      return 2;
    }
    await program.parseAsync(args, { from: 'user' });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    process.stderr.write(`error: ${describe(error)}\n`);
    return 1;
  }
}

/** What is no command would be taken for something that `list`, the default, is told. */
function refuseUnknown(command: Command): void {
  const [name = ''] = command.args;
  const names = command.commands.map((one) => one.name());
  if (name === '' || name.startsWith('-') || names.includes(name)) return;
  command.error(`error: unknown command '${name}' (there are ${names.join(', ')})`);
}

async function runBare(print: (line: string) => void): Promise<void> {
  const { isDoubleClicked, waitForEnter } = await import('./double-click.ts');
  const { firstSteps } = await import('./first-steps.ts');
  print(await firstSteps());
  if (await isDoubleClicked(process.platform, process.ppid)) await waitForEnter(print);
}

const FIRST_STEPS = `
First steps:
  lfs-depot install                      once per person
  lfs-depot init //server/share/art      once per project, in a clone of it (or /srv/lfs/art, D:/lfs,
                                         https://server/folder); commit the .lfsconfig that it writes
  lfs-depot trust //server/share/art     everybody else, once, after install; then, as ever:
  git clone ...
`;
