import { readFileSync } from 'node:fs';
import { parseLocation } from '../../backends/location.ts';
import { openBackend } from '../../backends/open.ts';
import type { Job } from './rival-job.ts';
import { ANCHOR, TEMP } from './storage.ts';

/**
 * Another writer, as a process of its own: `node rival.ts <location>` puts the files that stdin lists, as JSON, and
 * prints the outcomes.
 */
const location = parseLocation(process.argv[2] ?? '', { platform: process.platform, home: '/' });
const backend = openBackend(location, { platform: process.platform, anchor: ANCHOR, temp: TEMP });
const jobs: Job[] = JSON.parse(readFileSync(0, 'utf8'));
const outcomes = [];
for (const { path, file, ...options } of jobs) outcomes.push(await backend.put(path, file, options));
process.stdout.write(JSON.stringify(outcomes));
