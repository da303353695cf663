import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bind } from '../../models/binding/bind.ts';
import { DeadlockError } from '../../models/kernel/kernel.ts';
import { Machine } from '../../models/machine.ts';
import { simulate } from '../../models/simulate.ts';
import { ShuffledKernel } from './kernel/graph.ts';
import { aGemm, aMachine, aMapping } from './machines.ts';
import { load, scenarios, tryBind } from './scenarios.ts';
import { programs } from './sections.ts';
import { changeChannels, changeTakes, never } from './tampering.ts';
import { runFast, runSlow } from './twin.ts';

const oddClocks = ['1 GHz', '940 MHz', '700 MHz', '333 MHz'];

describe('the machine', () => {
  it.each([
    { clocks: ['1 GHz'], what: 'one clock' },
    { clocks: oddClocks, what: 'clocks that share no edge' },
  ])('does in every cycle what its slow twin does, for random bound programs on $what', ({ clocks }) => {
    let bound = 0;
    fc.assert(
      fc.property(scenarios({ clocks }), (scenario) => {
        const loaded = load(scenario);
        const program = tryBind(loaded);
        if (program === null) return;
        bound++;
        const fast = runFast(loaded.arch, program);
        expect(fast.account).toEqual(runSlow(loaded.arch, program, fast));
        expect(fast.account.standstill).toEqual([]);
      }),
      { numRuns: 100 },
    );
    expect(bound).toBeGreaterThan(30);
  });

  it.each([
    { clocks: 'core: 1 GHz', what: 'one clock' },
    { clocks: 'core: 1 GHz, odd: 940 MHz, slow: 333 MHz', what: 'three clocks' },
  ])('does so for loop programs that no binder makes, and comes to the same standstills, on $what', ({ clocks }) => {
    const buffer = 'capacity: 1 MiB, width: 5 B, latency: 0 cycles';
    const arch = aMachine({ clocks, hbm: 'bandwidth: 7.3 GB/s, latency: 0 ns', buffer });
    const seen = { deadlocks: 0, others: 0 };
    fc.assert(
      fc.property(programs({ clocks: [...arch.clocks.keys()], memories: ['hbm', 'buffer'] }), (program) => {
        const fast = runFast(arch, program);
        expect(fast.account).toEqual(runSlow(arch, program, fast));
        seen[fast.record === null ? 'deadlocks' : 'others']++;
      }),
      { numRuns: 250 },
    );
    expect(seen.deadlocks).toBeGreaterThan(30);
    expect(seen.others).toBeGreaterThan(30);
  });

  it('gives the same result whatever order engines are visited in', () => {
    fc.assert(
      fc.property(scenarios({ clocks: oddClocks }), fc.nat(), (scenario, seed) => {
        const { arch, ...loaded } = load(scenario);
        const program = tryBind({ arch, ...loaded });
        if (program === null) return;
        const shuffled = new Machine(arch, () => new ShuffledKernel(seed));
        expect(runFast(arch, program, shuffled).account).toEqual(runFast(arch, program).account);
      }),
      { numRuns: 80 },
    );
  });

  it('gives byte for byte the same result twice', () => {
    fc.assert(
      fc.property(scenarios(), (scenario) => {
        if (tryBind(load(scenario)) === null) return;
        const once = () => JSON.stringify(simulate({ ...load(scenario), values: true }));
        expect(once()).toBe(once());
      }),
      { numRuns: 25 },
    );
  });

  it('says who waits for what when it cannot go on', () => {
    const arch = aMachine();
    const program = bind(arch, aGemm(8, 4, 4), aMapping('partition: { M: [M1, M0 4] }', 'loops: [m1]'));
    const greedy = changeTakes(program, 'Z', 'A', (take) => take.set('release', never));
    const single = changeChannels(greedy, 'A', (channel) => channel.set('capacity', 1));
    expect(() => new Machine(arch).run(single)).toThrow(DeadlockError);
    expect(() => new Machine(arch).run(single)).toThrow(
      /array waits for a token of A from buffer\.dma0 since cycle \d+/,
    );
  });
});
