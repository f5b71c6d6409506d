import { execFileSync } from 'node:child_process';
import { mkdirSync, statSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundle } from '../../scripts/bundle.ts';
import { sha256 } from '../../scripts/packaging/archive.ts';
import { packNpm } from '../../scripts/packaging/npm-package.ts';
import { papersOf } from '../../scripts/packaging/papers.ts';
import { AgentProcess, INIT_UPLOAD } from '../session/agent-process.ts';
import { SessionSandbox, upload } from '../session/session-sandbox.ts';

let box: SessionSandbox;
let archive: string;
let pack: (folder: string) => string;
beforeAll(async () => {
  box = await SessionSandbox.make();
  const file = box.path('bundle.cjs');
  const { packages } = await bundle(file);
  pack = (folder) => packNpm(file, papersOf(packages, undefined), 'somebody', box.path(folder));
  archive = pack('packed');
});
afterAll(() => box.remove());

test('the npm package holds what a user needs and nothing else', () => {
  const names = execFileSync('tar', ['-tzf', archive], { encoding: 'utf8' }).trim().split('\n').sort();
  expect(names.map((name) => name.replace('package/', ''))).toEqual([
    'LICENSE',
    'LICENSE.third-party.txt',
    'README.md',
    'dist/lfs-depot.cjs',
    'package.json',
  ]);
  expect(statSync(archive).size).toBeLessThan(200_000);
  const described = JSON.parse(execFileSync('tar', ['-xzOf', archive, 'package/package.json'], { encoding: 'utf8' }));
  expect(Object.keys(described)).not.toContain('devDependencies');
  expect(Object.keys(described)).not.toContain('private');
});

test('npm install -g, without a network, gives a command that works', async () => {
  const prefix = box.path('global npm');
  mkdirSync(prefix);
  await box.ok('npm', ['install', '-g', '--offline', '--prefix', prefix, archive]);
  const command = box.path('global npm/bin/lfs-depot');
  expect(await box.ok(command, ['--version'])).toMatch(/^\S*\s*\d+\.\d+\.\d+ \(/);
  const agent = new AgentProcess(box, box.store, { command, args: ['agent', box.store] });
  const object = box.object(1000);
  agent.send(INIT_UPLOAD, upload(object));
  expect(await agent.finish()).toEqual([{}, { event: 'complete', oid: object.oid }]);
});

test('packed again, it has the same bytes', () => {
  expect(sha256(pack('again'))).toBe(sha256(archive));
});
