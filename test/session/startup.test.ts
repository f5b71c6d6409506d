import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { AgentProcess, INIT_DOWNLOAD, INIT_UPLOAD, stopLeftovers } from './agent-process.ts';
import { download, SessionSandbox, upload } from './session-sandbox.ts';

/**
 * git-lfs starts up to eight agents, one after another, each push and checkout: what is loaded before init is answered
 * counts eight times. The lists below are to be changed on purpose only; scripts/bench tells what a change costs.
 */
const ROOT = resolve(import.meta.dirname, '../..');
const LIST_LOADED = resolve(import.meta.dirname, 'fixtures/list-loaded.cjs');

/** Our modules that run before init is answered. */
const MODULES_UNTIL_INIT = [
  'agent/commands/agent.ts',
  'agent/ending.ts',
  'agent/handover.ts',
  'agent/line-buffer.ts',
  'agent/main.ts',
  'agent/oid.ts',
  'agent/progress.ts',
  'agent/protocol.ts',
  'agent/request-queue.ts',
  'agent/session.ts',
  'agent/stdio.ts',
  'agent/trace.ts',
  'backends/errors.ts',
];

/** Modules of Node that they ask for, and what comes with those beyond a script that is empty. */
const BUILTINS_UNTIL_INIT = ['fs'];
const LOADED_UNTIL_INIT = ['internal/abort_controller'];

interface Report {
  loaded: string[];
  required: string[];
  evaluated: string[];
}

let box: SessionSandbox;
let folder: string;
let bundle: string;
beforeAll(async () => {
  box = await SessionSandbox.make();
  folder = mkdtempSync(join(tmpdir(), 'depot-startup-'));
  bundle = join(folder, 'instrumented.cjs');
  await buildInstrumented(bundle);
});
afterEach(stopLeftovers);
afterAll(() => {
  box.remove();
  rmSync(folder, { recursive: true, force: true });
});

test('before init is answered, these modules of ours run and no others', async () => {
  expect((await reportOf(bundle)).evaluated.toSorted()).toEqual(MODULES_UNTIL_INIT);
});

test('before init is answered, the shipped bundle asks Node for these modules and no others', async () => {
  const { required, loaded } = await reportOf(resolve(ROOT, 'dist/lfs-depot.cjs'));
  expect(required.toSorted()).toEqual(BUILTINS_UNTIL_INIT);
  expect(loaded.toSorted()).toEqual(LOADED_UNTIL_INIT);
});

test('a fetch from a folder does not ask Node for crypto, and a push does', async () => {
  const object = box.object(100);
  box.putIntoStore(object);
  const program = resolve(ROOT, 'dist/lfs-depot.cjs');
  // The first lines come by the environment, as from the lazy start; so the first that is said is about the object.
  const after = (init: object, next: object) =>
    reportOf(program, { LFS_DEPOT_INIT: JSON.stringify(init), LFS_DEPOT_NEXT: JSON.stringify(next) });
  expect((await after(INIT_DOWNLOAD, download(object))).required).not.toContain('crypto');
  expect((await after(INIT_UPLOAD, upload(box.object(200)))).required).toContain('crypto');
});

async function reportOf(program: string, env: NodeJS.ProcessEnv = {}): Promise<Report> {
  const args = ['--require', LIST_LOADED, program, 'agent', box.store];
  const agent = new AgentProcess(box, box.store, { command: process.execPath, args, env });
  if (!env.LFS_DEPOT_INIT) agent.send(INIT_UPLOAD);
  await agent.finish();
  return JSON.parse(agent.stderr.split('\n')[0]!);
}

/** As scripts/build.mjs makes it, but every module of ours says when it runs. */
async function buildInstrumented(outfile: string): Promise<void> {
  const sayWhenRun: Plugin = {
    name: 'say-when-run',
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        const name = JSON.stringify(relative(ROOT, path).replaceAll('\\', '/'));
        const source = await readFile(path, 'utf8');
        return { contents: `${source}\n;globalThis.evaluated?.push(${name});`, loader: 'ts' };
      });
    },
  };
  await build({
    entryPoints: [join(ROOT, 'agent/main.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node22',
    absWorkingDir: ROOT,
    logLevel: 'silent',
    plugins: [sayWhenRun],
  });
}
