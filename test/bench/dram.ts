import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findStandard } from '../../arch/language/dram/find.ts';
import { compileMapping } from '../../arch/language/dram/mapping.ts';
import { deviceOf } from '../../arch/language/dram/resolve.ts';
import { packageRoot } from '../../arch/language/library.ts';
import { defaultPolicy } from '../../models/memory/dram/policy.ts';
import { type ReplayOptions, type RequestList, replay } from '../../models/memory/dram/replay.ts';
import { type TraceName, traceRequests } from '../reference/dram-controller-replay.ts';
import { cpuSeconds, type Row, type Section } from './harness.ts';

/** What Ramulator needed for a trace: requests, ticks, CPU seconds per million requests. */
type Peer = readonly [requests: number, ticks: number, secondsPerMillion: number];

/** Of which the fastest counts, as for the peer. All runs take turns, so that a noisy moment spoils one repeat at most. */
const repeats = 3;

/** Times faster than the peer, by trace. */
const targets: { readonly [trace: string]: number } = {
  stream_read: 10,
  random_read: 4,
  mixed_triad: 10,
  mixed_random: 4,
  rowconflict: 10,
  sparse_random: 10,
};

/** Ticks between two requests, and how many may be under way; as fast as the queues take them where a trace is not named. */
const pace: { readonly [trace: string]: ReplayOptions } = {
  sparse_random: { gap: 100 },
  chase: { outstanding: 1 },
};

const chaseRequests = 60_000;

interface Case {
  readonly preset: string;
  readonly trace: string;
  readonly peer: Peer | null;
}

function cases(): Case[] {
  const text = readFileSync(join(packageRoot, 'test/fixtures/dram/speed.json'), 'utf8');
  const { runs } = JSON.parse(text) as {
    readonly runs: { readonly [preset: string]: { readonly [trace: string]: Peer } };
  };
  return Object.entries(runs).flatMap(([preset, peers]) => [
    ...Object.entries(peers).map(([trace, peer]) => ({ preset, trace, peer })),
    { preset, trace: 'chase', peer: null },
  ]);
}

/** A run of all requests of a case, decoding included; generating them is not. It must take as long as on the peer. */
function runOf({ preset, trace, peer }: Case): () => void {
  const { standard, organisation, speed } = findStandard(preset);
  const device = deviceOf(standard, { organisation, speed });
  const mapping = compileMapping('RoBaRaCoCh', device, 1);
  const requests = requestsOf(trace, peer?.[0] ?? chaseRequests, mapping.rowStride);
  return () => {
    const { ticks } = replay(device, defaultPolicy, mapping, requests, pace[trace]);
    if (peer && ticks !== peer[1])
      throw new Error(`${preset} ${trace}: ${ticks} ticks where Ramulator takes ${peer[1]}`);
  };
}

/** Requests of a trace before it starts anew, which it does as often as need be: the lengths of Ramulator's files. */
const periods: { readonly [trace: string]: number } = {
  stream_read: 100_000,
  random_read: 100_000,
  mixed_triad: 99_999,
  mixed_random: 100_000,
  pingpong: 20_000,
  rowconflict: 20_000,
  sparse_random: 20_000,
};

/** `sparse_random` is `random_read` at another pace. */
function requestsOf(trace: string, count: number, rowStride: number): RequestList {
  const name = trace === 'sparse_random' ? 'random_read' : (trace as TraceName);
  const period = traceRequests(name, periods[trace] ?? count, rowStride);
  const requests = Array.from({ length: count }, (_, i) => period[i % period.length]);
  return {
    length: count,
    writes: Uint8Array.from(requests, ({ write }) => (write ? 1 : 0)),
    unit: 'block',
    addresses: Float64Array.from(requests, ({ block }) => block),
    columns: null,
    cycles: null,
  };
}

function rows(): Row[] {
  const all = cases().map((one) => ({ one, run: runOf(one), seconds: Number.POSITIVE_INFINITY }));
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const entry of all)
      entry.seconds = Math.min(
        entry.seconds,
        cpuSeconds(() => entry.run, 1),
      );
  }
  return all.map(({ one, seconds }) => rowOf(one, seconds));
}

function rowOf({ preset, trace, peer }: Case, seconds: number): Row {
  const name = `${preset.split('/').at(-1)} ${trace}`;
  const perMillion = (1e6 * seconds) / (peer?.[0] ?? chaseRequests);
  if (!peer) return { name, figure: perMillion, unit: 'CPU s per million' };
  const target = targets[trace];
  return {
    name,
    figure: peer[2] / perMillion,
    unit: `x (${perMillion.toPrecision(3)} CPU s per million)`,
    ...(target !== undefined && { target: { atLeast: target } }),
    peer: `Ramulator 2.1 ${peer[2].toPrecision(3)} CPU s`,
  };
}

export const section: Section = {
  title: 'DRAM controllers: times faster than Ramulator 2.1 (minimum of 3 runs, far apart: a shared machine is noisy)',
  rows,
};
