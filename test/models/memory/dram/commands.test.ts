import { describe, expect, it } from 'vitest';
import type { DramDevice } from '../../../../arch/language/dram/device.ts';
import { compileMapping } from '../../../../arch/language/dram/mapping.ts';
import { type ReplayResult, replay } from '../../../../models/memory/dram/replay.ts';
import { traceRequests } from '../../../reference/dram-controller-replay.ts';
import {
  digest,
  policyOf,
  type RecordedCommand,
  type RecordedRun,
  recordedCommands,
  recordedRuns,
  recordsOf,
} from '../../../reference/dram-fixture-device.ts';
import { collector, requestList, shippedDevice } from './runs.ts';

function replayed(device: DramDevice, run: RecordedRun) {
  // Recorded mappings have the number of bits behind each field, from the lowest.
  const order = run.mapping.split(' ').filter((field) => !field.endsWith(':0'));
  const mapping = compileMapping(order.toReversed().join('-'), device, 1);
  const { sent, log } = collector(device);
  const requests = requestList(traceRequests(run.trace, run.requests, run.rowStride));
  const outstanding = run.outstanding ?? Number.POSITIVE_INFINITY;
  const options = { gap: run.gap, outstanding, log: () => log };
  return { sent, result: replay(device, policyOf(run), mapping, requests, options) };
}

function totals({ ticks, latencySumTicks, rowHits, rowMisses, rowConflicts, commands }: ReplayResult) {
  const sent = Object.fromEntries(Object.entries(commands).filter(([, count]) => count > 0));
  return {
    ticks,
    latencySum: latencySumTicks,
    hits: rowHits,
    misses: rowMisses,
    conflicts: rowConflicts,
    commands: sent,
  };
}

function expectRecorded(device: DramDevice, run: RecordedRun, sent: readonly RecordedCommand[]): void {
  if (recordsOf(run)) {
    const wanted = recordedCommands(device, run.name);
    const differs = wanted.findIndex((command, index) => JSON.stringify(command) !== JSON.stringify(sent[index]));
    expect(sent[differs]).toEqual(wanted[differs]);
  }
  if (run.sha256 !== undefined) expect(digest(device, sent)).toBe(run.sha256);
}

describe('replay sends the commands that Ramulator does', () => {
  it.each(recordedRuns)('$name', (run) => {
    const device = shippedDevice(run.configuration);
    const { sent, result } = replayed(device, run);
    expectRecorded(device, run, sent);
    const { ticks, latencySum, hits, misses, conflicts, commands } = run;
    expect(totals(result)).toEqual({ ticks, latencySum, hits, misses, conflicts, commands });
  });

  it('in all 73 runs whose commands were recorded', () => {
    expect(recordedRuns.filter(({ sha256 }) => sha256 !== undefined).length).toBe(73);
  });
});
