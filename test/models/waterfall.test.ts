import { describe, expect, it } from 'vitest';
import type { Arch } from '../../arch/language/arch.ts';
import { bind } from '../../models/binding/bind.ts';
import { simulate } from '../../models/simulate.ts';
import { type Waterfall, waterfallOf } from '../../models/waterfall.ts';
import { waterfallText } from '../../reports/waterfall.ts';
import { type LoadedMapping, loadMapping } from '../../workloads/language/mapping.ts';
import type { LoadedWorkload } from '../../workloads/language/workload.ts';
import { aMachine, aMapping, aWorkload, shipped, shippedMachine } from './machines.ts';

function waterfalls(arch: Arch, workload: LoadedWorkload, mapping: LoadedMapping | null): Waterfall[] {
  const sections = bind(arch, workload, mapping)
    .phases.toArray()
    .flatMap((phase) => phase.sections.toArray());
  return sections.map((section) => waterfallOf(arch, workload.workload, section));
}

const binding = loadMapping('workloads/mappings/fusemax-binding.yaml');
const serial = loadMapping('workloads/mappings/fusemax-architecture.yaml');

describe('a waterfall', () => {
  const attention = shipped('attention-1-pass', { B: 1, H: 3, P: 1024, M: 1024 });
  const [overlapped] = waterfalls(shippedMachine('fusemax'), attention, binding);
  const [inTurn] = waterfalls(shippedMachine('fusemax'), attention, serial);

  /** Tiles in the order in which an engine begins their executions. */
  const orderOn = (engine: string, { lanes }: Waterfall): number[] => {
    const spans = lanes.filter((lane) => lane.engine === engine).flatMap((lane) => lane.spans);
    return spans.sort((a, b) => a.start - b.start).map(({ tile }) => tile);
  };
  const isSorted = (numbers: readonly number[]): boolean => numbers.every((n, i) => i === 0 || n >= numbers[i - 1]!);

  it('shows neighbouring tiles of the innermost loop in the middle of the others', () => {
    expect(overlapped!.tiles.map(({ at }) => at.join(' '))).toEqual([
      'h 1 m1 2 p1 0',
      'h 1 m1 2 p1 1',
      'h 1 m1 2 p1 2',
    ]);
    expect(overlapped!.iterations).toBe(3 * 4 * 4);
    expect(overlapped!.tiles.map(({ tile }) => tile)).toEqual([24, 25, 26]);
  });

  it('has tiles of +Binding overlap on every engine, and one after another without interleaving', () => {
    expect(overlapped!.inFlight).toBeGreaterThanOrEqual(4);
    expect(inTurn!.inFlight).toBeLessThanOrEqual(2);
    for (const engine of ['array', 'vector']) {
      expect(isSorted(orderOn(engine, overlapped!))).toBe(false);
      expect(isSorted(orderOn(engine, inTurn!))).toBe(true);
    }
  });

  it('never has an engine do two things at a time', () => {
    for (const waterfall of [overlapped!, inTurn!]) {
      for (const engine of ['array', 'vector']) {
        const spans = waterfall.lanes.filter((lane) => lane.engine === engine).flatMap((lane) => lane.spans);
        const inTime = spans.sort((a, b) => a.start - b.start || a.end - b.end);
        inTime.forEach(({ start }, i) => {
          if (i > 0) expect(start).toBeGreaterThanOrEqual(inTime[i - 1]!.end);
        });
      }
    }
  });

  it('has every einsum of a tile after what it needs', () => {
    const spanOf = (name: string) => {
      const { tile } = overlapped!.tiles[0]!;
      return overlapped!.lanes.find((lane) => lane.name === name)!.spans.find((span) => span.tile === tile)!;
    };
    const chain = ['QK', 'LM', 'RM', 'SLN', 'SLNV', 'RNV'].map(spanOf);
    chain.forEach(({ start }, i) => {
      if (i > 0) expect(start).toBeGreaterThanOrEqual(chain[i - 1]!.end);
    });
    // RM waits until the maximum of a column has gone down its 256 rows.
    expect(chain[2]!.start - chain[1]!.end).toBeGreaterThanOrEqual(256);
  });

  it('says in text what takes how long, within the width that there is', () => {
    const texts = [overlapped!, inTurn!].map((waterfall) => waterfallText(waterfall, 90));
    for (const line of texts.flatMap((text) => text.split('\n').slice(0, -1)))
      expect(line.length).toBeLessThanOrEqual(90);
    expect(texts[0]).toMatch(/up to \d+ are under way at a time$/);
    expect(texts[1]).toMatch(/and every engine ends one before it begins the next$/);
  });

  it('is stopped when it has seen enough', () => {
    const long = shipped('attention-1-pass', { B: 64, P: 4096, M: 4096 });
    const started = performance.now();
    waterfalls(shippedMachine('fusemax'), long, binding);
    // The whole run takes 200 thousand iterations.
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});

describe('a small waterfall', () => {
  // 2 x 2 tiles of 4 x 4 on an array that takes 4 cycles for each; the vector unit takes 4 as well, and so do stores.
  const workload = aWorkload('Y[m,n] = A[m,k] * B[k,n]\nZ[m,n] = max(Y[m,n], 0)', { ranks: 'M: 8, N: 8, K: 4' });
  const arch = aMachine({
    hbm: 'bandwidth: 1 PB/s, latency: 0 ns',
    array: 'rows: 4, columns: 4, feed: broadcast, overlap: full, operations: { mac: 1 }',
  });
  const lines = ['partition: { M: [M1, M0 4], N: [N1, N0 4] }', 'loops: [m1, n1]', 'hold: [A, B]'];

  it('is drawn to the cycle', () => {
    const [waterfall] = waterfalls(arch, workload, aMapping(...lines));
    expect(waterfallText(waterfall!, 60)).toMatchInlineSnapshot(`
      "3 tiles beside each other of 4; a column is 1 cycle of core
        1  m1 0, n1 1
        2  m1 1, n1 0
        3  m1 1, n1 1
        ·  another tile; blank: nothing

                 0         10
      array      111122223333       71 %
        Y        111122223333
      vector      ····111122223333  94 %
        Z         ····111122223333
      memory
        store Z        ·   1   2

      a tile takes 9 cycles, the next one ends 4 later, up to 3 are under way at a time, and every engine ends one before it begins the next"
    `);
  });

  it('ends when the run does, where all of it is shown', () => {
    const mapping = aMapping('loops: []');
    const [waterfall] = waterfalls(arch, workload, mapping);
    const result = simulate({ arch, workload, mapping });
    expect(waterfall!.tiles).toEqual([{ tile: 0, at: [] }]);
    const ends = result.einsums.map(({ end }) => Math.round(end * 1e9));
    expect(waterfall!.end).toBe(Math.max(...ends));
    expect(waterfallText(waterfall!, 60)).toContain('one tile of 1; a column is');
  });

  it('shows one core of several, and folds as tiles', () => {
    const gemm = shipped('gemm', { M: 512, N: 512, K: 512 });
    const [folds] = waterfalls(shippedMachine('multi-core'), gemm, null);
    expect([...new Set(folds!.lanes.map(({ engine }) => engine))].every((engine) => engine.includes('core[0]'))).toBe(
      true,
    );
    expect(folds!.lanes.some(({ name, kind }) => name === 'Z' && kind === 'array')).toBe(true);
  });
});
