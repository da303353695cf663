import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Dataflow } from '../../arch/language/arch.ts';
import { simulate } from '../../models/simulate.ts';
import { aGemm, aMachine, aMapping, aWorkload, type MachineParts, plainLinks } from './machines.ts';

type Shape = readonly [M: number, N: number, K: number];

/** A product of matrices of bytes, in one piece or as the mapping says, on a machine with these parts. */
function runGemm(parts: MachineParts, shape: Shape, mapping = aMapping('loops: []')) {
  return simulate({ arch: aMachine(parts), workload: aGemm(...shape), mapping });
}

const engine = (result: ReturnType<typeof simulate>, name: string) => result.engines.find((e) => e.name === name)!;

describe('a systolic array without overlap', () => {
  // Cycles of a fold: SCALE-Sim (Samajdar et al., ISPASS 2020); operands over rows, columns and time.
  const folds: Readonly<Record<Dataflow, (n: Sizes) => { rows: number; columns: number; cycles: number }>> = {
    'output-stationary': ({ M, N, K, R, C }) => ({ rows: M, columns: N, cycles: K + R + C - 2 }),
    'weight-stationary': ({ M, N, K, R, C }) => ({ rows: K, columns: N, cycles: M + 2 * R + C - 2 }),
    'input-stationary': ({ M, N, K, R, C }) => ({ rows: K, columns: M, cycles: N + 2 * R + C - 2 }),
  };
  type Sizes = Readonly<Record<'M' | 'N' | 'K' | 'R' | 'C', number>>;

  it.each(Object.keys(folds) as Dataflow[])('takes folds x cycles per fold, %s', (dataflow) => {
    const extent = fc.integer({ min: 1, max: 20 });
    const side = fc.integer({ min: 1, max: 8 });
    fc.assert(
      fc.property(fc.record({ M: extent, N: extent, K: extent, R: side, C: side }), (shape) => {
        const { M, N, K, R, C } = shape;
        const { rows, columns, cycles } = folds[dataflow](shape);
        const array = `rows: ${R}, columns: ${C}, dataflow: ${dataflow}, overlap: none, operations: { mac: 1 }`;
        const result = runGemm({ array, buffer: 'capacity: 1 MiB, width: 64 KiB, latency: 0 cycles' }, [M, N, K]);
        const busy = Math.ceil(rows / R) * Math.ceil(columns / C) * cycles;
        expect(engine(result, 'array').busy).toBe(busy);
        // Both operands at a byte per cycle, a cycle to the array, one to the store, and the result at a byte per cycle.
        expect(result.cycles).toBe(M * K + K * N + 1 + busy + 1 + M * N);
      }),
      { numRuns: 40 },
    );
  });

  it('shares folds among equal arrays', () => {
    const array = 'count: 2, rows: 4, columns: 4, overlap: none, operations: { mac: 1 }';
    // 3 x 1 folds of 5 + 4 + 4 - 2 cycles on two arrays
    expect(engine(runGemm({ array }, [12, 4, 5]), 'array').busy).toBe(2 * 11);
  });

  it('takes as many cycles per step as its operation', () => {
    const array = 'rows: 4, columns: 4, overlap: none, operations: { mac: 3 }';
    expect(engine(runGemm({ array }, [4, 4, 5]), 'array').busy).toBe(3 * 5 + 4 + 4 - 2);
  });
});

describe('an array with overlap', () => {
  const cyclesOf = (array: string, shape: Shape = [8, 8, 5]) => {
    const result = runGemm({ array: `rows: 4, columns: 4, ${array}` }, shape);
    const [M, N, K] = shape;
    return { busy: engine(result, 'array').busy, after: result.cycles - (M * K + K * N + 1) - (1 + M * N) };
  };

  it('begins a fold as soon as operands have streamed, and fills and drains once', () => {
    const { busy, after } = cyclesOf('dataflow: output-stationary, overlap: full, operations: { mac: 1 }');
    expect(busy).toBe(4 * 5);
    expect(after).toBe(4 * 5 + 4 + 4 - 2);
  });

  it('waits for the next weights when they take longer than the stream', () => {
    const ws = 'dataflow: weight-stationary, overlap: full, operations: { mac: 1 }';
    // K x N = 2 x 2 folds, each of 8 steps; then of 3 steps while 4 rows of weights come
    expect(cyclesOf(ws, [8, 8, 5])).toEqual({ busy: 4 * 8, after: 4 * 8 + 4 + 4 + 4 - 2 });
    expect(cyclesOf(ws, [3, 8, 5])).toEqual({ busy: 4 * 4, after: 3 * 4 + (3 + 4 + 4 + 4 - 2) });
  });

  it('loads the next weights behind the stream when only drains overlap', () => {
    const ws = 'dataflow: weight-stationary, overlap: drain, operations: { mac: 1 }';
    expect(cyclesOf(ws, [8, 8, 5])).toEqual({ busy: 4 * (4 + 8), after: 4 * (4 + 8) + 4 + 4 - 2 });
    const os = 'dataflow: output-stationary, overlap: drain, operations: { mac: 1 }';
    expect(cyclesOf(os)).toEqual({ busy: 4 * 5, after: 4 * 5 + 4 + 4 - 2 });
  });

  it('has no skew when operands are broadcast', () => {
    const { busy, after } = cyclesOf('feed: broadcast, overlap: full, operations: { mac: 1 }');
    expect(busy).toBe(4 * 5);
    expect(after).toBe(4 * 5);
  });

  const combining = (cycles: number, operations: string): string =>
    `feed: broadcast, dataflow: weight-stationary, operations: ${operations}, reduce: { along: columns, latency: ${cycles} cycles per row }`;

  it('combines what lies in its PEs down its columns, row by row', () => {
    const workload = aWorkload('Z[n] = max(k) A[k,n]', { ranks: 'K: 4, N: 4', inputs: 'A[k,n]', output: 'Z[n]' });
    const mapping = aMapping('loops: []\nplace: { array: { einsums: Z, rows: k, columns: n } }');
    const cyclesAt = (latency: number): number => {
      const arch = aMachine({ array: `rows: 4, columns: 4, ${combining(latency, '{ max: 1 }')}` });
      return simulate({ arch, workload, mapping }).cycles;
    };
    expect(cyclesAt(3) - cyclesAt(1)).toBe(2 * 4);
  });

  it('adds up products as operands pass', () => {
    expect(cyclesOf(combining(2, '{ mac: 1 }'), [6, 4, 4])).toEqual({ busy: 6, after: 6 });
  });
});

describe('a vector unit', () => {
  const workOf = (cascade: string, parts: { ranks: string; inputs: string; output: string }, vector: string) => {
    const workload = aWorkload(cascade, { ...parts });
    const arch = aMachine({ vector: `clock: core, ${vector}` });
    const result = simulate({ arch, workload, mapping: aMapping('loops: []') });
    const [memory] = result.memories;
    return { busy: engine(result, 'vector').busy, after: result.cycles - memory!.bytesRead - memory!.bytesWritten - 2 };
  };
  const sums = { inputs: 'A[m,k]', output: 'Z[m]' };

  it('works on as many points at a time as it has lanes', () => {
    const parts = { ranks: 'M: 10', inputs: 'A[m]  B[m]', output: 'Z[m]' };
    expect(workOf('Z[m] = A[m] + B[m]', parts, 'lanes: 4, operations: { add: 1 }')).toEqual({ busy: 3, after: 3 });
    expect(workOf('Z[m] = exp(A[m] + B[m])', parts, 'lanes: 4, operations: { add: 1, exp: 6 }').busy).toBe(3 * 7);
    expect(workOf('Z[m] = A[m] + B[m]', parts, 'count: 2, lanes: 4, operations: { add: 1 }').busy).toBe(2);
  });

  it('gives its last result when the operation has run through', () => {
    const parts = { ranks: 'M: 8', inputs: 'A[m]', output: 'Z[m]' };
    const vector = 'lanes: 4, operations: { exp: { cycles: 2, depth: 9 } }';
    expect(workOf('Z[m] = exp(A[m])', parts, vector)).toEqual({ busy: 4, after: 4 + 9 - 2 });
  });

  it('reduces in each lane while there are results enough for all lanes', () => {
    const vector = 'lanes: 4, operations: { add: 1 }';
    expect(workOf('Z[m] = A[m,k]', { ...sums, ranks: 'M: 4, K: 7' }, vector)).toEqual({ busy: 7, after: 7 });
    expect(workOf('Z[m] = A[m,k]', { ...sums, ranks: 'M: 5, K: 7' }, vector)).toEqual({ busy: 14, after: 14 });
  });

  it('shares a reduction among spare lanes and adds their sums up in a tree', () => {
    const vector = 'lanes: 8, operations: { add: { cycles: 1, depth: 3 } }';
    // 2 results, 4 lanes each: 8 / 4 steps, then 2 levels of 3 cycles
    expect(workOf('Z[m] = A[m,k]', { ...sums, ranks: 'M: 2, K: 8' }, vector)).toEqual({
      busy: 2,
      after: 2 + 2 + 2 * 3,
    });
  });

  it('leaves lanes idle where a mapping names what runs over them', () => {
    const workload = aWorkload('Z[m] = A[m,k]', { ...sums, ranks: 'M: 2, K: 8' });
    const mapping = aMapping('loops: []', 'place: { vector: { einsums: [Z], lanes: m } }');
    expect(engine(simulate({ arch: aMachine(), workload, mapping }), 'vector').busy).toBe(8);
  });
});

describe('a machine and its memory', () => {
  const fast = { hbm: 'bandwidth: 64 GB/s, latency: 0 ns' };
  const rows = ['partition: { M: [M1, M0 4] }', 'loops: [m1]', 'hold: [B]'];

  it('hides loads behind the work on the tile before, when two tiles of A are in flight', () => {
    const result = runGemm(fast, [64, 4, 64], aMapping(...rows, 'stream: { A: 2 }'));
    // A's first tile and B, 256 bytes each at 64 per cycle; 16 tiles of 64 cycles; fill and drain; the last 16 bytes
    expect(result.cycles).toBe(4 + 4 + 1 + 16 * 64 + 6 + 1 + 1);
    expect(engine(result, 'array').waitMemory).toBe(9);
  });

  it('waits for every tile when one is in flight', () => {
    const result = runGemm(fast, [64, 4, 64], aMapping(...rows, 'stream: { A: 1 }'));
    // Between tiles: a cycle until the buffer is seen free, 4 to load, one until the tile is seen.
    expect(result.cycles).toBe(4 + 4 + 1 + 16 * 64 + 15 * 6 + 6 + 1 + 1);
    expect(engine(result, 'array').waitMemory).toBe(9 + 15 * 6);
  });

  it('runs at the speed of its memory when that is the limit', () => {
    const hbm = 'bandwidth: 2 GB/s, latency: 50 ns';
    const workload = aWorkload('Z[n] = A[m,n]', { ranks: 'M: 64, N: 32', inputs: 'A[m,n]', output: 'Z[n]' });
    const arch = aMachine({ hbm, vector: 'clock: core, lanes: 32, operations: { add: 1 }' });
    const mapping = aMapping('partition: { M: [M1, M0 4] }', 'loops: [m1]', 'stream: { A: 8 }');
    const result = simulate({ arch, workload, mapping });
    // 2048 bytes at 2 per cycle, the latency, a cycle to the vector unit, the last tile's 4 rows, a cycle, 32 bytes out
    expect(result.cycles).toBe(1024 + 50 + 1 + 4 + 1 + 16);
    expect(result.bottleneck).toMatchObject({ part: 'hbm', kind: 'memory' });
  });

  it('pays the latency and the setup of a transfer, and that of the scratchpad on the way to an engine', () => {
    const plain = runGemm({}, [4, 4, 4]).cycles;
    expect(runGemm({ hbm: 'bandwidth: 1 GB/s, latency: 30 ns' }, [4, 4, 4]).cycles).toBe(plain + 30);
    const buffer = 'capacity: 1 MiB, width: 1 KiB, latency: 7 cycles';
    // once for the operands, once for the result
    expect(runGemm({ buffer }, [4, 4, 4]).cycles).toBe(plain + 2 * 7);
    const mover = 'mover: { kind: dma, clock: core, setup: 11 cycles }';
    const links = ['hbm <-> buffer via mover', ...plainLinks.slice(1)];
    expect(runGemm({ more: [mover], links }, [4, 4, 4]).cycles).toBe(plain + 11);
  });

  it('is held up by the narrowest of memory, dma and link', () => {
    const cyclesOf = (dma: string, link: string) => {
      const more = [`mover: { kind: dma, clock: core, ${dma} }`];
      return runGemm({ ...fast, more, links: [`hbm <-> buffer via mover ${link}`, ...plainLinks.slice(1)] }, [4, 4, 4])
        .cycles;
    };
    // 32 bytes in, 16 out, and 12 cycles between
    expect(runGemm(fast, [4, 4, 4]).cycles).toBe(1 + 12 + 1);
    expect(cyclesOf('bandwidth: 4 B/cycle', '')).toBe(8 + 12 + 4);
    expect(cyclesOf('', '2 GB/s')).toBe(16 + 12 + 8);
    expect(cyclesOf('bandwidth: 4 B/cycle', '2 GB/s')).toBe(16 + 12 + 8);
  });

  it('is held up by a scratchpad that its engines share, and says so', () => {
    const result = runGemm({ ...fast, buffer: 'capacity: 1 MiB, width: 1 B, latency: 0 cycles' }, [4, 4, 4]);
    // 32 bytes in, 48 read and written by the array at one per cycle, 16 out
    expect(result.cycles).toBe(32 + 1 + 48 + 6 + 1 + 16);
    expect(engine(result, 'array')).toMatchObject({ busy: 4, waitMemory: 33 + 44 });
    expect(engine(result, 'array').waits.map((w) => `${w.tensor} ${w.part}`)).toContain('Z buffer');
  });

  it('is held up by an engine narrower than its tiles', () => {
    const links = ['hbm <-> buffer via dma', 'buffer <-> array 1 B/cycle', 'buffer <-> vector'];
    const result = runGemm({ ...fast, links }, [4, 4, 4]);
    // 32 bytes in over the link while 16 go out over it
    expect(result.cycles).toBe(1 + 1 + 32 + 6 + 1 + 1);
    expect(engine(result, 'array')).toMatchObject({ busy: 4, waitMemory: 2 + 28 });
  });

  it('crosses from one clock to another at the next edge', () => {
    const arch = aMachine({
      clocks: 'core: 1 GHz, slow: 500 MHz',
      vector: 'clock: slow, lanes: 4, operations: { exp: 1 }',
    });
    const workload = aWorkload('Z[m] = exp(A[m])', { ranks: 'M: 8', inputs: 'A[m]', output: 'Z[m]' });
    const result = simulate({ arch, workload, mapping: aMapping('loops: []') });
    // Loaded at 8 ns, seen at 9, which is before the edge at 10 ns; two slow cycles; seen one slow cycle later; stored.
    expect(result.seconds).toBeCloseTo((10 + 2 * 2 + 2 + 8) * 1e-9, 15);
    expect(engine(result, 'vector')).toMatchObject({ clock: 'slow', cycles: 12, busy: 2, waitMemory: 5, idle: 5 });
  });

  it('keeps the clock of each scratchpad through sections that use them in turn', () => {
    const arch = aMachine({
      clocks: 'core: 1 GHz, slow: 500 MHz',
      more: ['sums: { kind: scratchpad, clock: slow, capacity: 1 KiB, width: 64 B, latency: 3 cycles }'],
      links: ['hbm <-> buffer via dma', 'hbm <-> sums via dma', 'buffer -> array', 'array <-> sums', 'sums <-> vector'],
    });
    const workload = aWorkload('Y[m,n] = A[m,k] * B[k,n]\nZ[m,n] = exp(Y[m,n])');
    const mapping = aMapping('sections:', '  - { einsums: [Y], loops: [] }', '  - { einsums: [Z], loops: [] }');
    const clocks = simulate({ arch, workload, mapping }).engines.map((e) => `${e.name} ${e.clock}`);
    expect(clocks).toEqual(expect.arrayContaining(['buffer.dma0 core', 'sums.dma0 slow']));
  });

  it('begins a section when all results of the one before are in memory', () => {
    const parts = { inputs: 'A[m]', output: 'Z[m]', ranks: 'M: 8' };
    const workload = aWorkload('Y[m] = exp(A[m])\nZ[m] = exp(Y[m])', parts);
    const section = (name: string) => `  - { einsums: [${name}], loops: [] }`;
    const result = simulate({ arch: aMachine(), workload, mapping: aMapping('sections:', section('Y'), section('Z')) });
    const alone = 8 + 1 + 2 * 6 + 1 + 8;
    expect(result.mapping.sections.map(({ start, end }) => [start, end].map((s) => Math.round(s * 1e9)))).toEqual([
      [0, alone],
      [alone, 2 * alone],
    ]);
  });
});
