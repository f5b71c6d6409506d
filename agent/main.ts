#!/usr/bin/env node
/** argv → a command. Only the command that is called is loaded: the agent's path is started up to eight times a push. */
async function main(args: string[]): Promise<void> {
  // Else Windows takes a `git.exe` that a clone brought along, since we run in its folder, before the one on the PATH.
  if (process.platform === 'win32') process.env.NoDefaultCurrentDirectoryInExePath = '1';
  if (args[0] === 'agent' && !args.includes('--help') && !args.includes('-h')) {
    const { agent } = await import('./commands/agent.ts');
    await agent(args[1]);
    return;
  }
  const { runCommandLine } = await import('./commands/command-line.ts');
  process.exitCode = await runCommandLine(args);
}

void main(process.argv.slice(2));
