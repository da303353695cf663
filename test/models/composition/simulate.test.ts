import { describe, expect, it } from 'vitest';
import { simulateComposition } from '../../../models/composition/simulate.ts';
import type { Result } from '../../../models/result.ts';
import { parseComposition } from '../../../workloads/llm/composition-load.ts';
import { compositionText as text } from '../../reports/composition-sample.ts';
import { shippedMachine } from '../machines.ts';

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);

function run(machine: string, set: readonly string[] = [], written = text): Result {
  return simulateComposition({
    arch: shippedMachine(machine, set),
    composition: parseComposition(written, 'few.yaml'),
  });
}

describe.each(['sn40l-node', 'dgx-h100'])('a composition on %s', (machine) => {
  const far = machine === 'sn40l-node' ? 'ddr' : 'host';
  // An expert has 0.7 MB on each device, and the rest less than 1 MB.
  const channels = machine === 'sn40l-node' ? ['parts.hbm.capacity=4 MB'] : [];
  const result = run(machine, channels);
  const { experts, memories, seconds, cycles, arch } = result;

  it('accounts for all of its time', () => {
    const { router, switching, execution } = experts!.seconds;
    expect(router + switching + execution).toBeCloseTo(seconds, 12);
    const last = experts!.batches.at(-1)!;
    expect(last.start + last.router + last.switching + last.execution).toBeCloseTo(seconds, 12);
    expect(cycles).toBe(Math.ceil(seconds * arch.clocks[result.clock]! - 1e-6));
  });

  it('tells of every request and every byte that was copied', () => {
    expect(experts!.hits + experts!.misses).toBe(30);
    expect(sum(experts!.batches.map(({ misses }) => misses))).toBe(experts!.misses);
    expect(experts!.bytesCopied).toBe(experts!.misses * experts!.expertBytes);
    const [near, other] = memories;
    expect([near?.name, other?.name]).toEqual(['hbm', far]);
    expect(other).toMatchObject({ bytesRead: experts!.bytesCopied, bytesWritten: 0 });
    expect(near!.tensors['experts that come']).toEqual({ read: 0, written: experts!.bytesCopied });
    expect(near!.bytesRead).toBe(sum(Object.values(near!.tensors).map(({ read }) => read)));
  });

  it('never has more in a tier than it holds', () => {
    for (const tier of experts!.tiers) {
      expect(tier.expertBytes + tier.tensorBytes).toBeLessThanOrEqual(tier.capacity);
      for (const live of tier.live) expect(live).toBeLessThanOrEqual(tier.expertBytes + tier.tensorBytes);
      for (const { offset, bytes } of tier.tensors) expect(offset + bytes).toBeLessThanOrEqual(tier.tensorBytes);
    }
    expect(experts!.tiers[1]).toMatchObject({ name: far, experts: 12, tensors: [] });
  });
});

describe('a composition of experts', () => {
  it('switches when its near tier is small, and is bound by what experts come over', () => {
    const slow = ['parts.hbm.capacity=4 MB', 'parts.ddr.bandwidth=10 MB/s'];
    const { experts, bottleneck, engines } = run('sn40l-node', slow);
    expect(experts!.rooms).toBeLessThan(12);
    expect(experts!.misses).toBeGreaterThan(0);
    expect(bottleneck).toMatchObject({ part: 'ddr -> hbm', kind: 'memory' });
    expect(bottleneck.utilization).toBeCloseTo(experts!.seconds.switching / sum(Object.values(experts!.seconds)), 9);
    expect(engines[0]).toMatchObject({ name: 'ddr -> hbm', kind: 'dma' });
    expect(engines[0]!.busy + engines[0]!.idle).toBe(engines[0]!.cycles);
  });

  it('is the same again, and by a trace of the same experts', () => {
    expect(run('sn40l-node')).toEqual(run('sn40l-node'));
  });

  it.each([
    [
      'sn40l',
      text,
      /few.yaml:6:21 {2}8 devices share every model, but sn40l has 1[\s\S]*use fewer, or another machine/,
    ],
    [
      'dgx-h100',
      text.replace('experts: 12', 'experts: 1 Gi'),
      /few.yaml:2:10 {2}1073741824 experts of [\d.]+ kB on each device, few expert, need [\d.]+ TB, but host \(274.9 GB\) has room for \d+/,
    ],
  ])('tells what %s has not', (machine, written, message) => {
    expect(() => run(machine, [], written)).toThrow(message);
  });
});
