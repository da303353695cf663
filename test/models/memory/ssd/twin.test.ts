import fc from 'fast-check';
import { List } from 'immutable';
import { describe, expect, it } from 'vitest';
import { Ssd } from '../../../../models/memory/ssd/ssd.ts';
import { program, read } from '../../../../models/memory/ssd/timing.ts';
import { SlowSsd } from '../../../reference/ssd.ts';
import { smallSsd } from './parts.ts';

const seed = Number(process.env.SEED ?? 20261121);

const requests = fc.array(
  fc.record({
    sector: fc.oneof(fc.nat(60), fc.nat(16000)),
    sectors: fc.oneof(fc.constant(8), fc.integer({ min: 1, max: 70 })),
    write: fc.boolean(),
    gap: fc.oneof(fc.constant(0), fc.nat(200_000_000)),
  }),
  { minLength: 1, maxLength: 60 },
);

const parts = fc
  .record({
    channels: fc.integer({ min: 1, max: 3 }),
    chips: fc.integer({ min: 1, max: 3 }),
    dies: fc.integer({ min: 1, max: 2 }),
    planes: fc.integer({ min: 1, max: 4 }),
    busy: fc.constantFrom('chip', 'die'),
    allocation: fc.constantFrom('CWDP', 'PDWC', 'WPCD'),
    table: fc.constantFrom('ideal', 'cached'),
    depth: fc.constantFrom(4, 64),
    fetch: fc.constantFrom(2, 16),
    pages: fc.constantFrom(3, 8),
    cachePages: fc.constantFrom(4, 64),
    bits: fc.constantFrom([40], [40, 70, 90]),
  })
  .map(({ channels, chips, dies, planes, busy, allocation, table, depth, fetch, pages, cachePages, bits }) =>
    smallSsd({
      queues: { depth, fetch },
      cache: { capacity: cachePages * 4096 },
      // Enough for every entry, and blocks for every write.
      translation: { table, allocation, cache: table === 'cached' ? 2 ** 20 : 0, overprovisioning: 0.1 },
      flash: {
        channels,
        chips,
        dies,
        planes,
        busy,
        pages,
        blocks: 4096,
        read: List(bits.map((us) => us * 1e6)),
      },
    }),
  );

describe('an SSD and its slow twin', () => {
  it('complete every request at the same picosecond, with the same commands', () => {
    fc.assert(
      fc.property(parts, requests, (part, list) => {
        const fast = new Ssd(part);
        const slow = new SlowSsd(part);
        const times: [number[], number[]] = [[], []];
        let at = 0;
        list.forEach(({ sector, sectors, write, gap }, i) => {
          at += gap;
          const most = Math.min(sectors, fast.capacity / 512 - 1);
          const offset = (sector % (fast.capacity / 512 - most)) * 512;
          fast.submit(at, offset, most * 512, write, (ps) => {
            times[0][i] = ps;
          });
          slow.submit(at, offset, most * 512, write, (ps) => {
            times[1][i] = ps;
          });
        });
        fast.advance(Number.POSITIVE_INFINITY);
        slow.run();
        expect(times[0]).toEqual(times[1]);
        expect(times[0].length).toBe(list.length);
        const { single, multiplane } = fast.flash;
        expect([single[read], multiplane[read], single[program], multiplane[program]]).toEqual(
          Object.values(slow.commands),
        );
        expect(fast.ftl.tableReads).toBe(slow.tableReads);
      }),
      { seed, numRuns: Number(process.env.RUNS ?? 300) },
    );
  });
});
