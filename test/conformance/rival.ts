import { readFileSync } from 'node:fs';
import { parseLocation } from '../../backends/location.ts';
import { openBackend } from '../../backends/open.ts';
import { PASSWORD, USER } from '../servers/server.ts';
import type { Job } from './rival-job.ts';
import { ANCHOR, TEMP } from './storage.ts';
import { webFor } from './web.ts';

/**
 * Another writer, as a process of its own: `node rival.ts <location> [<findings>]` puts the files that stdin lists, as
 * JSON, and prints the outcomes.
 */
const location = parseLocation(process.argv[2] ?? '', { platform: process.platform, home: '/' });
const options = { platform: process.platform, anchor: ANCHOR, temp: TEMP, web: webFor(USER, PASSWORD) };
const backend = await openBackend(location, options);
backend.assume(JSON.parse(process.argv[3] ?? '{}'));
const jobs: Job[] = JSON.parse(readFileSync(0, 'utf8'));
const outcomes = [];
for (const { path, file, ...put } of jobs) outcomes.push(await backend.put(path, file, put));
process.stdout.write(JSON.stringify(outcomes));
