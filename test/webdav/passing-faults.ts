import type { Kind } from '../../backends/errors.ts';
import type { SeenRequest } from '../servers/fault-proxy.ts';
import { busy, errorPage, type Fault, unauthorized } from '../servers/faults.ts';
import { type Deed, get, list, stat } from './deeds.ts';
import type { ForRequest } from './script.ts';

export interface Case {
  /** Vitest shows 40 characters of it. */
  name: string;
  fault: Fault | ForRequest;
  /** What comes of it when every such request meets it, and not only one. */
  ends: Kind | 'success';
}

/** Faults that a repetition gets over. */
export function passingFaults(deed: Deed): Case[] {
  return [...inTheRequest(deed), ...inTheAnswer(deed), ...answers(deed), ...refusals(deed)];
}

const HOWS = ['fin', 'rst'] as const;

function inTheRequest(deed: Deed): Case[] {
  const ends = unanswered(deed);
  const places: [string, number][] = [['first byte', 0]];
  if (deed.sends) places.push(['middle', 0.5], ['last byte', 1]);
  return places.flatMap(([place, share]) => {
    const after = (request: SeenRequest): number => Math.floor(share * (sizeOf(request) - 1));
    const cuts = HOWS.map((how) => ({
      name: `request cut at its ${place}, ${how}`,
      fault: (request: SeenRequest): Fault => ({ kind: 'cut', of: 'request', after: after(request), how }),
      ends,
    }));
    const fault = (request: SeenRequest): Fault => ({ kind: 'stall', of: 'request', after: after(request) });
    return [...cuts, { name: `request stalls at its ${place}`, fault, ends }];
  });
}

function inTheAnswer(deed: Deed): Case[] {
  // Who only wants to know whether it was done has heard so from the head; a download goes on with what has come.
  const headOnly = deed !== get && deed !== list;
  const some = headOnly || deed === get ? 'success' : 'unreachable';
  const places: [string, number | undefined, Case['ends']][] = [['head', undefined, unanswered(deed)]];
  if (deed.response > 0) {
    places.push(
      ['first byte', 0, headOnly ? 'success' : 'unreachable'],
      ['middle', Math.floor(deed.response / 2), some],
      ['last byte', deed.response - 1, some],
    );
  }
  return places.flatMap(([place, after, ends]) => {
    const where = after === undefined ? {} : { after };
    const cuts = HOWS.map((how): Case => {
      const fault: Fault = { kind: 'cut', of: 'response', how, ...where };
      return { name: `answer cut at its ${place}, ${how}`, fault, ends };
    });
    return [
      ...cuts,
      { name: `answer stalls at its ${place}`, fault: { kind: 'stall', of: 'response', ...where }, ends },
    ];
  });
}

/** A MOVE is looked after, and then it turns out that it has happened. */
function unanswered({ method }: Deed): Case['ends'] {
  return method === 'MOVE' ? 'success' : 'unreachable';
}

function answers(deed: Deed): Case[] {
  const cases: Case[] = [408, 423, 425, 429, 500, 502, 503, 504].map((status) => {
    // A PROPFIND tells the same.
    const otherwise = deed === stat && status < 500;
    const ends = otherwise ? 'success' : status === 423 ? 'conflict' : 'unreachable';
    return { name: `${status}`, fault: errorPage(status, 'Trouble'), ends };
  });
  const idle: Fault = { kind: 'close-idle', after: 0 };
  return [
    ...cases,
    { name: '503 with Retry-After', fault: busy(503, '1'), ends: 'unreachable' },
    { name: 'connection closed once it is idle', fault: idle, ends: 'success' },
    { name: '401', fault: unauthorized(), ends: 'credentials' },
  ];
}

/** Answers that come, or hang up, while the body is on its way. */
function refusals(deed: Deed): Case[] {
  if (!deed.sends) return [];
  const half = (request: SeenRequest): number => sizeOf(request) >> 1;
  return [
    { name: '401 amid the body', fault: (request) => unauthorized(half(request)), ends: 'credentials' },
    {
      name: '401 amid the body, connection closed',
      fault: (request) => unauthorized(half(request), undefined, true),
      ends: 'credentials',
    },
    { name: '503 before the body, connection closed', fault: errorPage(503, 'Trouble', true), ends: 'unreachable' },
  ];
}

function sizeOf({ headers }: SeenRequest): number {
  return Number(headers['content-length'] ?? 1);
}
