import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Copies } from '../../../models/tiers/copies.ts';

const ddr = { name: 'ddr', bandwidth: 200e9, latency: 100_000 };
const hbm = { name: 'hbm', bandwidth: 1.8e12, latency: 50_000 };
const link = { name: 'ddr -> hbm', bandwidth: 125e9, latency: 1_000_000 };
const path = { from: ddr, links: [link], to: hbm };

describe('copies between tiers', () => {
  it('take bytes over the slowest bandwidth, and every latency once', () => {
    const copies = new Copies();
    expect(copies.copy(7, 1.25e9, path)).toBe(7 + 1e10 + 1_150_000);
    expect(copies.port('ddr')).toMatchObject({ bytesRead: 1.25e9, bytesWritten: 0 });
    expect(copies.port('hbm')).toMatchObject({ bytesRead: 0, bytesWritten: 1.25e9 });
    expect(copies.port('nvme')).toBeUndefined();
  });

  it('wait for those before them on what they share', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat({ max: 5_000_000 }), fc.integer({ min: 1, max: 1e9 }))), (list) => {
        const copies = new Copies();
        let [now, free] = [0, 0];
        for (const [gap, bytes] of list) {
          now += gap;
          // 8 ps per byte on the link, the slowest.
          free = Math.max(now, free) + 8 * bytes;
          expect(copies.copy(now, bytes, path)).toBe(free + 1_150_000);
        }
        expect(copies.bytes).toBe(list.reduce((sum, [, bytes]) => sum + bytes, 0));
      }),
    );
  });

  it('leave a memory no faster than the slowest takes them', () => {
    const copies = new Copies();
    for (let i = 0; i < 5; i++) copies.copy(i * 4e9, 1e9, path);
    const timeline = copies.timeline('ddr')!;
    const bins = timeline.series(0, 40e9);
    expect(bins.reduce((sum, bytes) => sum + bytes, 0)).toBe(5e9);
    expect(Math.max(...bins) / timeline.width).toBeLessThanOrEqual(0.125 + 1e-6);
    expect(copies.timeline('hbm')).toBeUndefined();
  });

  it('meet where two paths go through one memory', () => {
    const copies = new Copies();
    const cxl = { name: 'cxl', bandwidth: 1e12, latency: 0 };
    const narrow = { name: 'hbm', bandwidth: 100e9, latency: 0 };
    expect(copies.copy(0, 1e9, { from: { ...ddr, latency: 0 }, links: [], to: narrow })).toBe(1e10);
    expect(copies.copy(0, 1e9, { from: cxl, links: [], to: narrow })).toBe(2e10);
  });
});
