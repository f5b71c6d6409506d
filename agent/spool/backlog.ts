import type { Spool } from './spool.ts';

/** What waits in one spool, all in all. */
export interface Backlog {
  location: string;
  objects: number;
  bytes: number;
  /** When the first was put there; now, where there is none. */
  since: Date;
}

export async function backlogOf(spool: Spool): Promise<Backlog> {
  const backlog: Backlog = { location: spool.location, objects: 0, bytes: 0, since: new Date() };
  for await (const { size, since } of spool.list()) {
    backlog.objects++;
    backlog.bytes += size;
    if (since < backlog.since) backlog.since = since;
  }
  return backlog;
}
