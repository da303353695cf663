import fc from 'fast-check';
import { List } from 'immutable';
import { describe, expect, it } from 'vitest';
import { placeExperts } from '../../../models/composition/placement.ts';
import { ExpertChoice, type ExpertComposition } from '../../../workloads/llm/composition.ts';
import { answer, composition, expertBytes, machine, run } from './ideal.ts';

const large = 1e9;

describe('a composition of experts', () => {
  it('takes router, copies of what is missing, and answers, one after the other', () => {
    const turn = composition({ choice: new ExpertChoice({ kind: 'round-robin' }) });
    // Room for 4 of 10 experts that come in turn: the first four are there, all others never.
    const on = roomFor(4);
    const { batches, end } = run(turn, on);
    const copies = 10 * expertBytes;
    expect(batches.map(({ misses }) => misses)).toEqual([0, 2, ...new Array(18).fill(3)]);
    expect(end).toBe(20 * (3 * 6000 + 3 * answer) + (2 + 18 * 3) * copies);
    expect(batches[5]).toEqual({
      start: batches[4]!.start + 18000 + 3 * copies + 3 * answer,
      requests: 3,
      router: 18000,
      switching: 3 * copies,
      execution: 3 * answer,
      hits: 0,
      misses: 3,
    });
  });

  it('adds a latency once for each batch that misses, as copies follow each other', () => {
    const turn = composition({ choice: new ExpertChoice({ kind: 'round-robin' }) });
    const { batches } = run(turn, roomFor(4, 777));
    expect(batches.at(-1)?.switching).toBe(3 * 10 * expertBytes + 777);
  });

  it('never copies where all experts have room', () => {
    const { batches, copies, end } = run(composition(), roomFor(10));
    expect(batches.every(({ misses, switching }) => misses === 0 && switching === 0)).toBe(true);
    expect(copies.bytes).toBe(0);
    expect(end).toBe(20 * (18000 + 3 * answer));
  });

  it('needs no far tier where all experts have room for good', () => {
    const { batches, end } = run(composition(), machine(large, []));
    expect(batches.every(({ hits, misses }) => hits === 3 && misses === 0)).toBe(true);
    expect(end).toBe(20 * (18000 + 3 * answer));
  });

  it('copies an expert once for all requests of a batch that need it', () => {
    const choice = new ExpertChoice({ kind: 'trace', experts: List([9, 9, 9]) });
    const { batches } = run(composition({ choice, batches: 1 }), roomFor(2));
    expect(batches[0]).toMatchObject({ hits: 2, misses: 1, switching: 10 * expertBytes });
  });

  it('takes turns where a batch needs more experts than have room', () => {
    const choice = new ExpertChoice({ kind: 'trace', experts: List([5, 6, 5, 7, 5, 6, 8]) });
    const of = composition({ choice, batch: 7, batches: 1 });
    const { batches } = run(of, roomFor(2, 0, of));
    // 5 6 5 | 7 5 | 6 8: only 5 is ever found.
    expect(batches[0]).toMatchObject({ hits: 2, misses: 5, switching: 50 * expertBytes, execution: 7 * answer });
  });

  it('never writes experts back, and accounts for every byte and picosecond', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 5 }),
        fc.constantFrom('lru' as const, 'lfu' as const, 'fifo' as const),
        fc.nat({ max: 500 }),
        fc.nat(),
        (rooms, batch, replacement, latency, seed) => {
          const of = composition({ experts: 12, batch, replacement, seed });
          const { batches, copies, end, copied } = run(of, roomFor(rooms, latency, of));
          let now = 0;
          for (const one of batches) {
            expect(one.start).toBe(now);
            expect(one.hits + one.misses).toBe(batch);
            now += one.router + one.switching + one.execution;
          }
          expect(now).toBe(end);
          const misses = batches.reduce((sum, one) => sum + one.misses, 0);
          expect(copied).toBe(misses * expertBytes);
          expect(copies.bytes).toBe(copied);
          expect(copies.port('far 0')?.bytesWritten ?? 0).toBe(0);
          expect(copies.port('hbm')?.bytesWritten ?? 0).toBe(copied);
        },
      ),
    );
  });

  it('misses no more with more rooms under LRU', () => {
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 11 }), fc.nat(), (rooms, seed) => {
        const misses = (count: number) =>
          run(composition({ experts: 12, seed }), roomFor(count)).batches.reduce((sum, one) => sum + one.misses, 0);
        expect(misses(rooms + 1)).toBeLessThanOrEqual(misses(rooms));
      }),
    );
  });
});

describe('experts in tiers', () => {
  it('have homes in the nearest far tier that has room', () => {
    const { homes, rooms } = placeExperts(composition(), machine(large, [3.5 * expertBytes, large]), undefined);
    expect(homes).toEqual([0, 0, 0, 1, 1, 1, 1, 1, 1, 1]);
    expect(rooms).toBe(10);
  });

  it('come from farther over every link between', () => {
    const far = machine(large, [8 * expertBytes, large]);
    const slow = {
      ...far.paths[1]!,
      links: far.paths[1]!.links.map((link) => ({ ...link, bandwidth: link.name === 'link 1' ? 5e10 : 1e11 })),
    };
    const on = { ...roomFor(2), far: far.far, paths: [far.paths[0]!, slow] };
    const choice = new ExpertChoice({ kind: 'trace', experts: List([7, 9]) });
    const { batches } = run(composition({ choice, batch: 1, batches: 2 }), on);
    expect(batches.map(({ switching }) => switching)).toEqual([10 * expertBytes, 20 * expertBytes]);
  });

  it('leave room for caches and activations, which share addresses where they never live together', () => {
    const { tiers, rooms } = placeExperts(composition(), machine(6 * expertBytes, [large]), undefined);
    const [near] = tiers;
    expect(near?.tensors.map(({ name }) => name)).toEqual([
      'router weights',
      'router cache',
      'router activations',
      'expert cache',
      'expert activations',
    ]);
    const total = near!.tensors.reduce((sum, { bytes }) => sum + bytes, 0);
    expect(near!.allocation.bytes).toBeLessThan(total);
    expect(rooms).toBe(Math.floor((6 * expertBytes - near!.allocation.bytes) / expertBytes));
  });

  it('let other tensors go to a far tier, from where they stream while their model runs', () => {
    // Beside an expert there is no room for the router's weights, which are read once for each batch.
    const on = machine(1.5 * expertBytes, [large]);
    const { tiers, spilled, rooms } = placeExperts(composition(), on, undefined);
    expect(rooms).toBe(1);
    expect(tiers[1]?.tensors.map(({ name }) => name)).toEqual(['router weights']);
    expect(spilled).toEqual({ router: [expertBytes], expert: [0] });
    const { batches } = run(composition(), on);
    expect(10 * expertBytes).toBeGreaterThan(18000);
    expect(batches.every(({ router }) => router === 10 * expertBytes)).toBe(true);
  });

  it.each([
    [
      'experts than far tiers hold',
      machine(large, [7.5 * expertBytes]),
      /10 experts of [\d.]+ kB on each device, tiny, need [\d.]+ kB, but far 0 \([\d.]+ kB\) has room for 7; take 7 experts/,
    ],
    ['experts than the only tier holds', machine(7.5 * expertBytes, []), /but hbm \([\d.]+ kB\) has room for 7/],
    [
      'bytes for an expert than the near tier has',
      machine(0.5 * expertBytes, [large]),
      /an expert, tiny, needs [\d.]+ kB on each device, but hbm has/,
    ],
    [
      'bytes for the router than anything has',
      machine(1.5 * expertBytes, [10.2 * expertBytes]),
      /router weights needs [\d.]+ kB, more than any tier has: hbm beside an expert [\d.]+ k?B, far 0 beside experts [\d.]+ B/,
    ],
  ])('need no more %s', (_, on, message) => {
    expect(() => placeExperts(composition(), on, undefined)).toThrow(message);
  });
});

/** A near tier with room for so many experts beside what a composition needs. */
function roomFor(rooms: number, latency = 0, of: ExpertComposition = composition()) {
  const used = placeExperts(of, machine(large, [large]), undefined).tiers[0]!.allocation.bytes;
  return machine(used + (rooms + 0.5) * expertBytes, [large], latency);
}
