import fc from 'fast-check';
import { afterEach, describe, expect, it, type MockContext, vi } from 'vitest';
import { compileMapping } from '../../../../arch/language/dram/mapping.ts';
import { FastController } from '../../../../models/memory/dram/fast-forward.ts';
import { OneBusController } from '../../../../models/memory/dram/one-bus.ts';
import { type ControllerPolicy, defaultPolicy } from '../../../../models/memory/dram/policy.ts';
import { type ReplayResult, replay } from '../../../../models/memory/dram/replay.ts';
import { SplitActivationController } from '../../../../models/memory/dram/split-activation.ts';
import { TwoBusController } from '../../../../models/memory/dram/two-bus.ts';
import { fixtureDevice, type RecordedCommand } from '../../../reference/dram-fixture-device.ts';
import { runs } from './arbitraries.ts';
import { type CaseLimits, type ReplayCase, replayCases } from './request-lists.ts';
import { collector, requestList } from './runs.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

interface Outcome {
  readonly result: ReplayResult;
  /** By channel. */
  readonly sent: readonly (readonly RecordedCommand[])[];
}

function outcome({ device, policy, mapping, requests, options }: ReplayCase, skipsIdle: boolean): Outcome {
  const collectors = Array.from({ length: options.channels }, () => collector(device));
  const log = (channel: number) => collectors[channel].log;
  const result = replay(device, policy, mapping, requests, { ...options, log, skipsIdle });
  return { result, sent: collectors.map(({ sent }) => sent) };
}

function bothWays(run: ReplayCase): [found: Outcome, wanted: Outcome] {
  return [outcome(run, true), outcome(run, false)];
}

function expectSame(found: Outcome, wanted: Outcome): void {
  wanted.sent.forEach((sent, channel) => {
    const differs = sent.findIndex((command, i) => JSON.stringify(command) !== JSON.stringify(found.sent[channel][i]));
    expect([channel, found.sent[channel][differs]]).toEqual([channel, sent[differs]]);
    expect(found.sent[channel].length).toBe(sent.length);
  });
  expect(found.result).toEqual(wanted.result);
}

const kinds = [OneBusController, TwoBusController, SplitActivationController];

/** Of the calls of a method, for each kind of controller, what the values that it gave add up to. */
function taken({ mock }: { readonly mock: MockContext<(...args: never[]) => number | boolean> }): number[] {
  return kinds.map((kind) =>
    mock.results.reduce((sum, { value }, i) => sum + (mock.contexts[i] instanceof kind ? Number(value) : 0), 0),
  );
}

const property = (limits: CaseLimits) =>
  fc.property(replayCases(limits), (run) => {
    expectSame(...bothWays(run));
  });

describe('requests served many at a time', () => {
  it('are served as tick by tick and one by one, where runs of hits come as fast as they are taken', () => {
    const inRuns = vi.spyOn(FastController.prototype, 'sendHits');
    fc.assert(property({ runs: 10, runLength: 300, isDense: true }), { numRuns: runs(80) });
    for (const requests of taken(inRuns)) expect(requests).toBeGreaterThan(300);
  });

  it('are served as tick by tick, however they come', () => {
    const alone = vi.spyOn(FastController.prototype, 'serveAlone');
    fc.assert(property({ runs: 5, runLength: 200 }), { numRuns: runs(80) });
    for (const requests of taken(alone)) expect(requests).toBeGreaterThan(100);
  });

  it('are of the row that the queue is full of, whatever other rows are open', () => {
    const device = fixtureDevice('HBM4/HBM4_32Gb_4Hi/HBM4_8000Mbps');
    const mapping = compileMapping('RoBaRaCoCh', device, 1);
    const run = (bank: number, count: number) =>
      Array.from({ length: count }, (_, column) => ({ write: false, block: mapping.encode(0, bank, 0, column) }));
    const requests = requestList([...run(16, 1), ...run(0, 1), ...run(0, 32), ...run(16, 9)]);
    const policy: ControllerPolicy = { ...defaultPolicy, refresh: 'none' };
    expectSame(...bothWays({ device, policy, mapping, requests, options: { channels: 1 } }));
  });

  it('end when the last of them is sent: a tick later comes the next request, whatever it is', () => {
    const reads = Array.from({ length: 13 }, (_, block) => ({ write: false, block }));
    const requests = requestList([...reads, { write: true, block: 2 ** 20 }]);
    const device = fixtureDevice('DDR4/DDR4_8Gb_x8/DDR4_2400R');
    const policy: ControllerPolicy = { ...defaultPolicy, readQueue: 4, writeQueue: 1, refresh: 'none' };
    const mapping = compileMapping('RoBaRaCoCh', device, 1);
    expectSame(...bothWays({ device, policy, mapping, requests, options: { channels: 1 } }));
  });
});
