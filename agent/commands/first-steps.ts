import { readConfig } from '../config.ts';
import { fleetingPlace, isOnPath, programWords, type Running, running } from '../program.ts';
import { MATCH_KEY } from '../start.ts';

/** What to do next, for somebody who has just got the program and ran it with nothing behind it. */
export async function firstSteps(here: Running = running()): Promise<string> {
  const lines = ['lfs-depot works behind git: there is no window to open. What to do next:'];
  const steps: string[] = [];
  if (await isInstalled()) {
    steps.push('lfs-depot is installed for you already.');
  } else {
    const fleeting = fleetingPlace(here);
    if (fleeting) steps.push(`Move the program to a folder where it can stay: ${fleeting}.`);
    steps.push(`${TERMINALS[here.platform] ?? 'Type'}:\n       ${asTyped(here)} install`);
  }
  steps.push(
    'Once per project, in a clone of it:\n       lfs-depot init //server/share/art     (or another folder that the whole team reaches)',
    'Everybody else installs it, allows that folder once, and clones as ever:\n       lfs-depot trust //server/share/art',
  );
  lines.push(...steps.map((step, index) => `  ${index + 1}. ${step}`), '', 'lfs-depot --help shows all commands.');
  return lines.join('\n');
}

const TERMINALS: Partial<Record<NodeJS.Platform, string>> = {
  win32: 'Press the Windows key, type "powershell", press Enter, and type there',
  darwin: 'In the program Terminal (Applications/Utilities), type',
};

/** The program as it is typed; on Windows in PowerShell, which wants an `&` before what stands in quotes. */
function asTyped(here: Running): string {
  if (isOnPath(here)) return 'lfs-depot';
  const words = programWords(here).map((word) => (here.platform === 'win32' ? word.replaceAll('/', '\\') : word));
  const quoted = words.map((word) => (/^[\w:\\/.~+-]+$/.test(word) ? word : `"${word}"`)).join(' ');
  return here.platform === 'win32' && quoted.startsWith('"') ? `& ${quoted}` : quoted;
}

/** False, too, when git cannot be asked: then it is not. */
async function isInstalled(): Promise<boolean> {
  try {
    return (await readConfig(process.cwd(), undefined)).get(MATCH_KEY) !== undefined;
  } catch {
    return false;
  }
}
