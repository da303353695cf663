import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ssdCapacity } from '../../../../arch/language/ssd/part.ts';
import { buildSsds, Raid0 } from '../../../../models/memory/ssd/raid.ts';
import { runSsd } from '../../../../models/memory/ssd/run.ts';
import { Generator } from '../../../../models/memory/ssd/sources.ts';
import { Ssd } from '../../../../models/memory/ssd/ssd.ts';
import { smallSsd } from './parts.ts';

const seed = Number(process.env.SEED ?? 20261121);
const part = smallSsd();

describe('SSDs with data striped over them', () => {
  it('get of each request what lies on them, and it is done when all are', () => {
    const request = fc.record({ sector: fc.nat(20_000), sectors: fc.integer({ min: 1, max: 400 }), gap: fc.nat(1e8) });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.array(request, { minLength: 1, maxLength: 20 }), (count, list) => {
        const stripe = 8192;
        const raid = new Raid0(
          Array.from({ length: count }, () => new Ssd(part)),
          stripe,
        );
        const alone = Array.from({ length: count }, () => new Ssd(part));
        const done: number[] = [];
        const expected: number[] = [];
        let at = 0;
        list.forEach(({ sector, sectors, gap }, i) => {
          at += gap;
          const bytes = sectors * 512;
          const offset = Math.floor((sector * 512) % (raid.capacity - bytes));
          raid.submit(at, offset, bytes, false, (ps) => {
            done[i] = ps;
          });
          // Byte by sector: where each lies.
          const pieces = new Map<number, [from: number, to: number]>();
          for (let byte = offset; byte < offset + bytes; byte += 512) {
            const index = Math.floor(byte / stripe);
            const on = Math.floor(index / count) * stripe + (byte % stripe);
            const piece = pieces.get(index % count) ?? [on, on];
            pieces.set(index % count, [Math.min(piece[0], on), Math.max(piece[1], on + 512)]);
          }
          expected[i] = 0;
          for (const [device, [from, to]] of pieces)
            alone[device]!.submit(at, from, to - from, false, (ps) => {
              expected[i] = Math.max(expected[i]!, ps);
            });
        });
        raid.advance(Number.POSITIVE_INFINITY);
        for (const ssd of alone) ssd.advance(Number.POSITIVE_INFINITY);
        expect(done).toEqual(expected);
      }),
      { seed, numRuns: 60 },
    );
  });

  it('are so many times as fast', () => {
    const bandwidth = (count: number): number => {
      const several = part.merge({ count, stripe: 65536 });
      const region = ssdCapacity(several);
      const source = new Generator({
        pattern: 'sequential',
        bytes: 65536 * count,
        reads: 1,
        region,
        align: 65536,
        seed,
      });
      return runSsd(several, source, { depth: 4, requests: 300 }).bandwidth;
    };
    const one = bandwidth(1);
    for (const count of [2, 4]) expect(bandwidth(count) / one).toBeCloseTo(count, 0);
  });

  it('submit from a completion, in order of time over all devices', () => {
    const { device } = buildSsds(part.set('count', 3));
    const times: number[] = [];
    const next = (ps: number): void => {
      times.push(ps);
      if (times.length < 200)
        device.submit(ps, (times.length * 131072) % (device.capacity - 4096), 4096, times.length % 3 === 0, next);
    };
    for (let i = 0; i < 6; i++) device.submit(0, i * 131072, 4096, false, next);
    device.advance(Number.POSITIVE_INFINITY);
    expect(times.length).toBeGreaterThanOrEqual(200);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  it('refuse what is not on them', () => {
    const { device } = buildSsds(part.set('count', 2));
    expect(() => device.submit(0, device.capacity, 512, false, () => {})).toThrow(RangeError);
    expect(() => device.submit(0, -512, 512, false, () => {})).toThrow(RangeError);
  });
});
