import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { PutOutcome } from '../../../backends/backend.ts';
import type { Job } from '../rival-job.ts';
import { hashOf, sourceIn } from '../source.ts';
import { type Bench, type Storage, type Traits, tempIn } from '../storage.ts';

/** A program of its own that puts what it is told; see there. */
const RIVAL = resolve(import.meta.dirname, '../rival.ts');

export function racing(current: () => Bench, traits: Traits): void {
  test('a reader sees nothing until a put is done, and then the whole', async () => {
    const { backend, storage, local } = current();
    const source = sourceIn(local, 24 * 1024 * 1024);
    const reader = storage.open();
    let done = false;
    const put = backend.put('aa/file', source.file, source).finally(() => {
      done = true;
    });
    const seen = { nothing: 0, whole: 0 };
    while (!done) {
      const entry = await reader.stat('aa/file');
      if (!entry) seen.nothing++;
      else {
        expect(entry.size).toBe(source.size);
        seen.whole++;
        const copy = join(local, 'seen');
        expect(await reader.get('aa/file', copy)).toBe(source.size);
        expect(hashOf(readFileSync(copy))).toBe(source.sha256);
        rmSync(copy);
      }
      await setImmediate();
    }
    expect(await put).toBe('created');
    expect(await reader.digest('aa/file')).toBe(source.sha256);
    expect(seen.nothing).toBeGreaterThan(0);
  });

  test.each([
    { size: 100, rounds: 60 },
    { size: 1_500_000, rounds: 8 },
  ])('of many writers of one path with $size bytes one creates it, and all are content', async ({ size, rounds }) => {
    const { storage, local } = current();
    const source = sourceIn(local, size);
    const handles = [storage.open(), storage.open(), storage.open()];
    for (let round = 0; round < rounds; round++) {
      const path = `aa/${round}/file`;
      const outcomes = await Promise.all(handles.map((handle) => handle.put(path, source.file, source)));
      if (traits.oneCreator === false) expect(outcomes).toContain('created');
      else expect(outcomes.sort()).toEqual(['created', 'exists', 'exists']);
      expect(hashOf(storage.content(path)!)).toBe(source.sha256);
    }
    expect(tempIn(storage)).toEqual([]);
  });

  test('of many that replace one damaged file none loses it, and none replaces a good one', async () => {
    const { storage, local } = current();
    const source = sourceIn(local, 1_500_000);
    const handles = [storage.open(), storage.open(), storage.open()];
    for (let round = 0; round < 10; round++) {
      const path = `aa/${round}/file`;
      storage.plant(path, 'damaged');
      const replace = (await handles[0]!.stat(path))?.version;
      const outcomes = await Promise.all(
        handles.map((handle) => handle.put(path, source.file, { ...source, replace })),
      );
      if (traits.oneCreator === false || traits.oneReplacer === false) expect(outcomes).toContain('created');
      else expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1);
      expect(hashOf(storage.content(path)!)).toBe(source.sha256);
    }
    expect(tempIn(storage)).toEqual([]);
  });

  if (traits.inProcess) return;

  test('four processes that put the same 50 paths all succeed, and every file is right', async () => {
    const { storage, local } = current();
    const sources = Array.from({ length: 50 }, (_, index) => sourceIn(local, index % 10 === 0 ? 1_200_000 : 5000));
    const jobs = sources.map(({ file, size, sha256 }, index) => ({
      path: `${index % 4}/${index}/x`,
      file,
      size,
      sha256,
    }));
    const outcomes = await Promise.all([1, 2, 3, 4].map(() => rival(storage, traits, jobs)));
    for (const [index, { path, sha256 }] of jobs.entries()) {
      expect(hashOf(storage.content(path)!)).toBe(sha256);
      const created = outcomes.filter((told) => told[index] === 'created').length;
      if (traits.oneCreator === false) expect(created).toBeGreaterThanOrEqual(1);
      else expect(created).toBe(1);
    }
    expect(tempIn(storage)).toEqual([]);
  });

  test('four processes that replace the same damaged files leave only good ones', async () => {
    const { storage, backend, local } = current();
    const jobs: Job[] = [];
    for (let index = 0; index < 30; index++) {
      const { file, size, sha256 } = sourceIn(local, 4000);
      const path = `${index % 4}/${index}`;
      storage.plant(path, 'damaged');
      jobs.push({ path, file, size, sha256, replace: (await backend.stat(path))?.version });
    }
    await Promise.all([1, 2, 3, 4].map(() => rival(storage, traits, jobs)));
    for (const { path, sha256 } of jobs) expect(hashOf(storage.content(path)!)).toBe(sha256);
    expect(tempIn(storage)).toEqual([]);
  });
}

/** Runs one rival to its end and gives what each put resolved to. */
function rival({ location, findings = {} }: Storage, { preload = [] }: Traits, jobs: Job[]): Promise<PutOutcome[]> {
  const child = spawn(
    process.execPath,
    [...preload.map((module) => `--import=${module}`), RIVAL, location ?? '', JSON.stringify(findings)],
    {
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  );
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  child.stdin.end(JSON.stringify(jobs));
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('close', (status) => {
      if (status === 0) done(JSON.parse(Buffer.concat(out).toString()));
      else fail(new Error(`a rival ended with ${status}: ${Buffer.concat(err)}`));
    });
  });
}
