/** Long runs of Ramulator 2.1, of which the totals are known, and the same runs here. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { compileMapping } from '../../../../arch/language/dram/mapping.ts';
import { defaultPolicy, type Refresh, type Scheduler } from '../../../../models/memory/dram/policy.ts';
import { type RequestList, replay } from '../../../../models/memory/dram/replay.ts';
import { type TraceName, traceRequests } from '../../../reference/dram-controller-replay.ts';
import { pageOf, requestList, shippedDevice } from './runs.ts';

/** How one of the traces was sent. */
interface Sending {
  readonly trace: TraceName;
  readonly requests: number;
  readonly gap: number;
  /** Null for any number. */
  readonly outstanding: number | null;
}

interface Configuration {
  readonly name: string;
  readonly device: string;
  readonly mapping: string;
  readonly scheduler: Scheduler;
  readonly page: string;
  readonly refresh: Refresh;
  /** Names in the order of the last columns of `results`. */
  readonly commands: string;
  /** By name of a sending: the file's columns, and how many of each command. */
  readonly results: { readonly [sending: string]: string };
}

interface ReferenceRuns {
  readonly traces: { readonly [name: string]: Sending };
  readonly columns: string;
  readonly configurations: readonly Configuration[];
}

const file = new URL('../../../fixtures/dram/reference-runs.json', import.meta.url);
const { traces, columns, configurations }: ReferenceRuns = JSON.parse(readFileSync(file, 'utf8'));

/** The parts that the runs are shared out to, a test file of a few seconds each, by names of configurations. */
const parts = {
  'ddr3-gddr7': /^(DDR3|GDDR7)/,
  ddr4: /^DDR4.* (base|bg_interleaved)$/,
  'ddr4-pages': /^DDR4.* (closedcap\d|frfcfs_rowhit)$/,
  'ddr4-others': /^DDR4.* (norefresh|rank2|mop4clxor)$/,
  ddr5: /^DDR5/,
  gddr6: /^GDDR6/,
  hbm2: /^HBM2/,
  'hbm3-hbm4': /^(HBM3.* (base|bg_interleaved)$|HBM4)/,
  'hbm3-refresh': /^HBM3.* (norefresh|rowhit_refpb)$/,
  lpddr5: /^LPDDR5.* (base|bg_interleaved)$/,
  'lpddr5-refresh': /^LPDDR5.* (norefresh|perbank_refresh)$/,
  lpddr6: /^LPDDR6/,
};
export type Part = keyof typeof parts;

interface ReferenceRun {
  readonly name: string;
  readonly configuration: Configuration;
  readonly sending: Sending;
  readonly result: string;
}

export const partNames = Object.keys(parts) as Part[];

export function runsOf(part: Part): readonly ReferenceRun[] {
  return configurations
    .filter(({ name }) => parts[part].test(name))
    .flatMap((configuration) =>
      Object.entries(configuration.results).map(([name, result]) => ({
        name: `${configuration.name} ${name}`,
        configuration,
        sending: traces[name],
        result,
      })),
    );
}

/** Tests of all runs of a part. */
export function testPart(part: Part): void {
  const lists = new Map<string, RequestList>();
  it.each(runsOf(part))('$name', ({ configuration, sending, result }) => {
    expect(replayed(configuration, sending, lists)).toEqual(expected(configuration, result));
  });
}

function expected({ commands }: Configuration, result: string): { [name: string]: number } {
  const names = `${columns} ${commands}`.split(' ');
  const values = result.split(' ').map(Number);
  return Object.fromEntries(names.map((name, i) => [name, values[i]]));
}

function replayed(configuration: Configuration, sending: Sending, lists: Map<string, RequestList>) {
  const { scheduler, page, refresh } = configuration;
  const device = shippedDevice(configuration.device);
  const mapping = compileMapping(configuration.mapping, device, 1);
  const key = JSON.stringify([sending, mapping.rowStride]);
  const { trace, requests, gap, outstanding } = sending;
  const list = lists.get(key) ?? requestList(traceRequests(trace, requests, mapping.rowStride));
  lists.set(key, list);
  const policy = { ...defaultPolicy, scheduler, page: pageOf(page), refresh };
  const injection = { gap, ...(outstanding !== null && { outstanding }) };
  const found = replay(device, policy, mapping, list, injection);
  const counted = configuration.commands.split(' ').map((name) => [name, found.commands[name]]);
  const { latencySumTicks: latencySum, ...totals } = found;
  const known = Object.entries({ ...totals, latencySum }).filter(([name]) => columns.split(' ').includes(name));
  return Object.fromEntries([...known, ...counted]);
}
