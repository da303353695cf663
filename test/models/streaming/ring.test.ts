import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../../arch/language/library.ts';
import { loadArch } from '../../../arch/language/load.ts';
import { Events } from '../../../models/serving/events.ts';
import {
  type RingMachine,
  runAllGather,
  runFused,
  runGemm,
  runReduceScatter,
  runSubLayer,
} from '../../../models/streaming/ring.ts';
import { ringMachine } from '../../../models/streaming/ring-machine.ts';
import { type Arbitration, SharedDram, type Side } from '../../../models/streaming/shared-dram.ts';
import { wavesOf } from '../../../models/streaming/tiled-gemm.ts';

const arch = loadArch(join(packageRoot, 'arch/t3.yaml'));
const machine = ringMachine(arch);
const shape = { m: 16384, n: 3072, k: 1536, bytesPerElement: 2 };
const result = shape.m * shape.n * 2;

interface Asked {
  readonly side: Side;
  readonly bytes: number;
  readonly at: number;
}

/** When each request is there, of a memory of a byte in a picosecond: grain after grain, from a list of all. */
function serveSlowly(asked: readonly Asked[], arbitration: Arbitration): number[] {
  const left = asked.map(({ bytes }) => bytes);
  const done = asked.map(() => 0);
  let last: Side = 'communication';
  for (let now = 0; left.some((bytes) => bytes > 0); ) {
    const first = (side: Side) => asked.findIndex((one, i) => one.side === side && one.at <= now && left[i]! > 0);
    const [compute, communication] = [first('compute'), first('communication')];
    if (compute < 0 && communication < 0) {
      now = Math.min(...asked.filter((_, i) => left[i]! > 0).map(({ at }) => at));
      continue;
    }
    const isLate = communication >= 0 && now - asked[communication]!.at > 10e6;
    const turn: boolean = arbitration === 'in-turn' ? last === 'compute' : isLate;
    const chosen: number = compute < 0 || (communication >= 0 && turn) ? communication : compute;
    last = asked[chosen]!.side;
    const bytes = Math.min(8192, left[chosen]!);
    now += bytes;
    left[chosen]! -= bytes;
    done[chosen] = now;
  }
  return done;
}

describe('a memory of computation and communication', () => {
  const requests = fc.uniqueArray(
    fc.record({
      side: fc.constantFrom<Side>('compute', 'communication'),
      bytes: fc.integer({ min: 1, max: 2 ** 22 }),
      at: fc.nat(2e7),
    }),
    { minLength: 1, maxLength: 12, selector: ({ at }) => at },
  );

  it.each(['in-turn', 'compute-first'] as const)('serves grains %s', (arbitration) => {
    fc.assert(
      fc.property(requests, (unsorted) => {
        const asked = unsorted.toSorted((a, b) => a.at - b.at);
        const events = new Events();
        const dram = new SharedDram(events, 1e12, 0, arbitration);
        const done = asked.map(() => 0);
        asked.forEach(({ side, bytes, at }, i) => {
          events.at(at, () => {
            dram.request(side, bytes, at, (end) => {
              done[i] = end;
            });
          });
        });
        while (events.first < Number.POSITIVE_INFINITY) events.step();
        expect(done).toEqual(serveSlowly(asked, arbitration));
      }),
    );
  });
});

describe('a product', () => {
  it('takes its waves one after another where memory is no matter', () => {
    const { time } = runGemm({ ...machine, memoryBandwidth: 1e18, memoryLatency: 0 }, shape);
    const waves = Math.ceil((128 * 24) / 80);
    const tile = (128 * 128 * 1536) / (512 * 1.4e9);
    expect(time / (waves * tile * 1e12)).toBeCloseTo(1, 6);
  });

  it('reads operands once that fit the cache, and again where results push them out', () => {
    const reads = (k: number, cached: boolean) =>
      wavesOf({ ...shape, k }, machine, cached).reduce((sum, wave) => sum + wave.reads, 0);
    const once = (k: number) => 2 * k * (shape.m + shape.n);
    expect(reads(1536, true)).toBe(once(1536));
    // 13.5 MiB of the second operand and three blocks of the first fit 16 MiB, but not with 80 tiles of results.
    expect(reads(2304, false)).toBe(once(2304));
    expect(reads(2304, true)).toBeGreaterThan(3 * once(2304));
  });
});

describe('a ring', () => {
  it('takes the time of its hops, of one tile in each chunk', () => {
    const { devices } = machine;
    const bytes = 128 * 128 * 2;
    const read = (times: number) => times * bytes + 1e5;
    const link = Math.ceil((bytes * 1e12) / 150e9) + 5e5;
    const small = { m: 128 * devices, n: 128, k: 64, bytesPerElement: 2 };
    const hop = (times: number) => read(times) + link + read(1);
    expect(runReduceScatter(machine, small).time).toBe(hop(1) + (devices - 2) * hop(2) + read(2) + read(1));
    expect(runAllGather(machine, small).time).toBe((devices - 1) * hop(1));
  });

  it('is bound by its link where chunks are long', () => {
    const least = ((7 / 8) * result) / 150e9 + 7 * 0.5e-6;
    const { time } = runReduceScatter(machine, shape);
    expect(time / 1e12).toBeGreaterThan(least - 4e-6);
    expect(time / 1e12).toBeLessThan(1.01 * least);
  });

  it.each([8, 16])('moves what each step reads and writes, with %i devices', (devices) => {
    const ring: RingMachine = { ...machine, devices };
    const chunk = result / devices;
    const serial = runReduceScatter(ring, shape).traffic;
    expect([serial.reads, serial.writes]).toEqual([(2 * devices - 1) * chunk, devices * chunk]);
    const fused = runFused(ring, shape, 'compute-first').traffic;
    expect([fused.reads, fused.writes]).toEqual([(devices - 2) * chunk, 2 * (devices - 1) * chunk]);
    expect(fused.gemmReads).toBe(runGemm(ring, shape).traffic.gemmReads);
  });
});

describe('a product fused with its reduce-scatter', () => {
  it('takes hardly more than the longer of the two', () => {
    for (const k of [192, 384, 768, 1536]) {
      const { gemm, reduceScatter, fused } = runSubLayer(machine, { ...shape, k }, 'compute-first');
      const longer = Math.max(gemm.time, reduceScatter.time);
      expect(fused.time).toBeGreaterThan(0.99 * longer);
      expect(fused.time).toBeLessThan(1.03 * longer);
    }
  });

  it('is slower where communication takes its turn with computation', () => {
    const times = (['compute-first', 'in-turn'] as const).map((policy) => runFused(machine, shape, policy).time);
    expect(times[1]! / times[0]!).toBeGreaterThan(1.03);
  });

  it('cannot gain more than a third of three equal parts', () => {
    const { idealSpeedup, speedup } = runSubLayer({ ...machine, devices: 16 }, { ...shape, k: 768 }, 'compute-first');
    expect(idealSpeedup).toBeGreaterThan(1.47);
    expect(idealSpeedup).toBeLessThan(1.5);
    expect(speedup).toBeLessThanOrEqual(idealSpeedup * 1.001);
  });

  it('says which results make no chunks, and which machine is no ring', () => {
    expect(() => runReduceScatter(machine, { ...shape, m: 1000 })).toThrow('1000 rows of results are no 8 chunks');
    expect(() => runAllGather({ ...machine, devices: 1 }, shape)).toThrow('a ring has at least 2 devices');
    expect(() => ringMachine(arch.set('link', null))).toThrow('machine t3 is no ring of devices');
  });
});
