import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Port } from '../../../models/memory/port.ts';

describe('a port', () => {
  it('serves one request after another at its rate', () => {
    const port = new Port('hbm', 4e9, 0);
    expect(port.serve(0, 8, false)).toBe(2000);
    expect(port.serve(500, 4, true)).toBe(3000);
    expect(port.start).toBe(2000);
    expect(port.serve(9000, 1, false)).toBe(9250);
    expect(port.start).toBe(9000);
  });

  it('ends a byte in the next whole picosecond and does not drift', () => {
    const port = new Port('odd', 3e12, 0);
    expect([1, 1, 1, 1].map((bytes) => port.serve(0, bytes, false))).toEqual([1, 1, 1, 2]);
  });

  it('counts bytes, requests, and the time from a request to the arrival of its last byte', () => {
    const port = new Port('hbm', 1e9, 700);
    port.serve(0, 10, false);
    port.serve(0, 5, true);
    port.serve(0, 1, false);
    expect(port).toMatchObject({ bytesRead: 11, bytesWritten: 5, reads: 2, writes: 1 });
    expect(port.readLatencySum).toBe(10_000 + 700 + 16_000 + 700);
  });

  it('serves nothing in no time, but in turn', () => {
    const port = new Port('hbm', 1e9, 0);
    port.serve(0, 3, false);
    expect(port.serve(1, 0, false)).toBe(3000);
    expect(port.serve(8000, 0, false)).toBe(8000);
  });

  it('is busy without a gap for as long as there is work: exact, at any rate', () => {
    const requests = fc.array(fc.tuple(fc.nat(3000), fc.nat(5000)), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2e13 }), requests, (rate, list) => {
        const port = new Port('any', rate, 0);
        let now = 0;
        // In units of 1 / rate picoseconds.
        let free = 0n;
        for (const [pause, bytes] of list) {
          now += pause;
          const asked = BigInt(now) * BigInt(rate);
          free = (asked > free ? asked : free) + BigInt(bytes) * 1_000_000_000_000n;
          const served = (free + BigInt(rate) - 1n) / BigInt(rate);
          if (served > BigInt(Number.MAX_SAFE_INTEGER)) return;
          expect(BigInt(port.serve(now, bytes, false))).toBe(served);
        }
      }),
    );
  });
});
