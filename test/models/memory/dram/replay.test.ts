import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileMapping } from '../../../../arch/language/dram/mapping.ts';
import { type ControllerPolicy, defaultPolicy } from '../../../../models/memory/dram/policy.ts';
import { type ReplayOptions, type RequestList, replay } from '../../../../models/memory/dram/replay.ts';
import type { TickingController } from '../../../reference/dram-controller.ts';
import type { BlockRequest } from '../../../reference/dram-controller-replay.ts';
import { fixtureDevice, type RecordedCommand } from '../../../reference/dram-fixture-device.ts';
import { runs } from './arbitraries.ts';
import { replayCases } from './request-lists.ts';
import { collector, requestList } from './runs.ts';
import { replayOnTwins } from './ticking-replay.ts';

/** Its tRCD is 16 ticks, reads of one bank group are 6 apart, and data take 20 from a read command. */
const ddr4 = fixtureDevice('DDR4/DDR4_8Gb_x8/DDR4_2400R');

interface Choices extends ReplayOptions {
  readonly mapping?: string;
  readonly policy?: Partial<ControllerPolicy>;
}

/** Replays requests to DDR4 without refreshes: commands as `17 RD`, channel by channel, and the result. */
function replayed(requests: RequestList, { mapping = 'RoBaRaCoCh', policy = {}, ...options }: Choices = {}) {
  const { channels = 1 } = options;
  const sent: string[][] = Array.from({ length: channels }, () => []);
  const log = (channel: number) => (tick: number, command: number) =>
    sent[channel].push(`${tick} ${ddr4.commands[command].name}`);
  const compiled = compileMapping(mapping, ddr4, channels);
  const whole = { ...defaultPolicy, refresh: 'none', ...policy } as const;
  return { sent, ...replay(ddr4, whole, compiled, requests, { ...options, log }) };
}

const reads = (...blocks: number[]) => blocks.map((block): BlockRequest => ({ write: false, block }));
const writes = (...blocks: number[]) => blocks.map((block): BlockRequest => ({ write: true, block }));
const sixReads = requestList(reads(0, 1, 2, 3, 4, 5));

describe('replay', () => {
  it('sends requests as fast as they are taken', () => {
    const { sent, ...found } = replayed(sixReads);
    expect(sent).toEqual([['1 ACT', '17 RD', '23 RD', '29 RD', '35 RD', '41 RD', '47 RD']]);
    expect(found).toMatchObject({ ticks: 67, requests: 6, reads: 6, writes: 0, rowHits: 5, rowMisses: 1 });
    // They come at ticks 0 to 5, and their data at 37, 43, ..., 67.
    expect(found.latencySumTicks).toBe(37 + 42 + 47 + 52 + 57 + 62);
    expect(found.averageReadLatencyTicks).toBe(297 / 6);
    expect(found.ranks).toEqual([{ activeTicks: 66, idleTicks: 1 }]);
  });

  it('leaves a gap between requests', () => {
    const { sent, latencySumTicks } = replayed(sixReads, { gap: 100 });
    expect(sent).toEqual([['1 ACT', '17 RD', '101 RD', '201 RD', '301 RD', '401 RD', '501 RD']]);
    expect(latencySumTicks).toBe(37 + 5 * 21);
  });

  it('sends the next request when one is done where few may be under way', () => {
    const one = replayed(sixReads, { outstanding: 1 });
    expect(one.sent).toEqual([['1 ACT', '17 RD', '38 RD', '59 RD', '80 RD', '101 RD', '122 RD']]);
    const two = replayed(sixReads, { outstanding: 2 });
    expect(two.sent).toEqual([['1 ACT', '17 RD', '23 RD', '38 RD', '44 RD', '59 RD', '65 RD']]);
  });

  it('holds requests back until their cycle', () => {
    const { sent } = replayed({ ...sixReads, cycles: Float64Array.of(10, 10, 200, 200, 250, 260) });
    expect(sent).toEqual([['11 ACT', '27 RD', '33 RD', '201 RD', '207 RD', '251 RD', '261 RD']]);
  });

  it('takes bytes, or rows and columns, for blocks', () => {
    const blocks = requestList([...reads(0, 1, 5000), ...writes(2048 * 7 + 3)]);
    const bytes = { ...blocks, unit: 'byte' as const, addresses: blocks.addresses.map((block) => block * 64 + 13) };
    expect(replayed(bytes)).toEqual(replayed(blocks));
    // Rows of a bank are 2048 blocks apart where the column is lowest, one where the row is.
    const rows = {
      ...blocks,
      unit: 'row' as const,
      addresses: Float64Array.of(0, 0, 2, 7),
      columns: Float64Array.of(0, 1, 5000 - 2 * 2048, 3),
    };
    expect(replayed(rows)).toEqual(replayed(blocks));
  });

  it('holds up all requests behind one whose queue is full, whatever channel they are for', () => {
    // The first three are for rows of one bank of channel 0, whose queue has room when a row opens for the one before.
    const requests = requestList(reads(0, 2 ** 13, 2 ** 14, 1));
    const { sent } = replayed(requests, { channels: 2, policy: { readQueue: 1 } });
    const [first, last] = sent;
    expect(first).toEqual(['1 ACT', '17 RD', '40 PREpb', '56 ACT', '72 RD', '95 PREpb', '111 ACT', '127 RD']);
    expect(last[0]).toBe('58 ACT');
  });

  it('answers reads from writes that wait, and merges writes to one block', () => {
    const same = requestList([...writes(...Array(10).fill(5)), ...reads(5, 5, 5, 5)]);
    const { sent, ...found } = replayed(same);
    // Ten writes come at ticks 0 to 9: the second finds the first one's row open, and waits for the others' data.
    expect(sent).toEqual([['1 ACT', '17 WR', '23 WR']]);
    expect(found).toMatchObject({ reads: 4, writes: 10, forwarded: 4, coalesced: 8, latencySumTicks: 4, ticks: 23 });
  });

  it('sends and counts what ticking twins do, on every channel', () => {
    fc.assert(
      fc.property(replayCases({ runs: 5, runLength: 80 }), ({ device, policy, mapping, requests, options }) => {
        const { channels } = options;
        const found = Array.from({ length: channels }, () => collector(device));
        const result = replay(device, policy, mapping, requests, { ...options, log: (i) => found[i].log });
        const wanted: RecordedCommand[][] = found.map(() => []);
        const twins = replayOnTwins(device, policy, mapping, requests, {
          ...options,
          log: (i) => (tick, command, path, row, column) => wanted[i].push({ tick, command, path, row, column }),
        });
        expect(found.map(({ sent }) => sent)).toEqual(wanted);
        const sum = (count: Exclude<keyof TickingController['stats'], 'commands'>) =>
          twins.reduce((all, { stats }) => all + stats[count], 0);
        expect(result).toMatchObject({
          ticks: twins[0].clock,
          reads: sum('reads'),
          writes: sum('writes'),
          latencySumTicks: sum('latencySum'),
          rowHits: sum('rowHits'),
          rowMisses: sum('rowMisses'),
          rowConflicts: sum('rowConflicts'),
          forwarded: sum('forwarded'),
          coalesced: sum('coalesced'),
        });
      }),
      { numRuns: runs(40) },
    );
  });
});
