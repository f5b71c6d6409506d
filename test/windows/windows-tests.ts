import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, test } from 'vitest';
import { windowsNode } from './windows-programs.ts';
import type { WindowsResult } from './windows-result.ts';
import { makeWine, runInWine, type WineOptions, whyNoWine, windowsPath } from './wine.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/**
 * Runs a file of tests in node.exe under Wine, which reads TypeScript by itself, and makes each of its tests one here. To be
 * awaited before a test file ends.
 * @param file relative to `test/`.
 */
export async function testOnWindows(file: string, options: WineOptions = {}): Promise<void> {
  const lacking = whyNoWine();
  if (lacking !== undefined) {
    test.skip(`${file} on Windows: ${lacking}`, () => {});
    return;
  }
  makeWine();
  const results = await resultsOf(file, options);
  describe(`${file} on Windows`, () => {
    for (const { name, outcome, why } of results) {
      if (outcome === 'skipped') test.skip(name, () => {});
      else
        test(name, () => {
          if (outcome === 'failed') throw new Error(`under Wine: ${why}`);
        });
    }
  });
}

/** @throws when node.exe crashed, hung, or ran no test. */
async function resultsOf(file: string, options: WineOptions): Promise<WindowsResult[]> {
  const inside = (name: string): string => windowsUrl(join(import.meta.dirname, 'inside', name));
  const temp = mkdtempSync(join(tmpdir(), 'depot-windows-'));
  const args = [
    `--import=${inside('hooks.ts')}`,
    `--test-reporter=${inside('reporter.ts')}`,
    '--test-reporter-destination=stdout',
    windowsPath(resolve(ROOT, 'test', file)),
  ];
  try {
    const env = { ...options.env, WINDOWS_TEMP: windowsPath(temp) };
    const { status, signal, stdout, stderr } = await runInWine(windowsNode(), args, {
      patience: 600_000,
      ...options,
      env,
    });
    const lines = stdout.split('\n').filter((line) => line.startsWith('{"name":'));
    const results = lines.map((line) => JSON.parse(line) as WindowsResult);
    const failed = results.some(({ outcome }) => outcome === 'failed');
    if (results.length === 0 || status === null || (status !== 0 && !failed)) {
      const where = `${relative(ROOT, file)} under Wine ended with ${status ?? signal}`;
      throw new Error(`${where} after ${results.length} tests\n${stdout.slice(-2000)}${stderr.slice(-2000)}`);
    }
    return results;
  } finally {
    rmSync(temp, { recursive: true, force: true });
  }
}

/** The URL of a file of Linux in a program of Windows. */
function windowsUrl(path: string): string {
  return pathToFileURL(path).href.replace('file:///', 'file:///Z:/');
}
