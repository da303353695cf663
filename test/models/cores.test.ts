import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Arch } from '../../arch/language/arch.ts';
import { InputError } from '../../arch/language/diagnostics.ts';
import { parseArch } from '../../arch/language/load.ts';
import { bind } from '../../models/binding/bind.ts';
import type { Program } from '../../models/binding/program.ts';
import { Machine } from '../../models/machine.ts';
import type { EinsumResult, MemoryResult, Result } from '../../models/result.ts';
import { simulate } from '../../models/simulate.ts';
import type { LoadedMapping } from '../../workloads/language/mapping.ts';
import { operatorsPerPoint, pointsOf } from '../../workloads/language/shapes.ts';
import { einsumsOf, type LoadedWorkload, type Workload } from '../../workloads/language/workload.ts';
import { expectToAddUp } from './accounting.ts';
import { ShuffledKernel } from './kernel/graph.ts';
import { aGemm, aMapping, aWorkload, shipped, shippedMachine } from './machines.ts';
import { runFast, runSlow } from './twin.ts';

interface Cores {
  readonly count?: number;
  readonly hbm?: string;
  readonly array?: string;
  readonly vector?: string;
  /** Way of the link to memory, and its rate. */
  readonly via?: string;
  readonly more?: string;
  readonly head?: string;
}

/** Cores of an output-stationary array of 4 x 4 and 4 lanes, at 1 GHz, on a memory of 1 byte per cycle. */
function coresOf(parts: Cores = {}): Arch {
  const text = `machine: cores
clocks: { core: 1 GHz }
${parts.head ?? ''}
parts:
  hbm: { kind: memory, capacity: 1 GiB, ${parts.hbm ?? 'bandwidth: 1 GB/s, latency: 0 ns'} }
  ${parts.more ?? ''}
  core:
    count: ${parts.count ?? 2}
    parts:
      buffer: { kind: scratchpad, clock: core, capacity: 1 MiB, width: 1 KiB, latency: 0 cycles }
      array: { kind: array, clock: core, ${parts.array ?? 'rows: 4, columns: 4, operations: { mac: 1 }'} }
      vector: { kind: vector, clock: core, lanes: 4, operations: { ${parts.vector ?? 'mac: 1, add: 1, max: 1, exp: 3, divide: 2'} } }
    links: [hbm <-> buffer via ${parts.via ?? 'dma'}, buffer <-> array, buffer <-> vector, array -> vector]
`;
  return parseArch(text, 'cores.yaml');
}

const broadcast = 'rows: 4, columns: 4, operations: { mac: 1 }, feed: broadcast';
const fast = 'bandwidth: 1 PB/s, latency: 0 ns';

const split = (variable: string, ...lines: string[]) => aMapping(`cores: { core: ${variable} }`, ...lines);

function memory(result: Result, name = 'hbm'): MemoryResult {
  return result.memories.find((m) => m.name === name)!;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);

/** The einsum that a core's part of it belongs to. */
const wholeOf = (name: string): string => name.replace(/\.\d+$/, '');

/** Adds up by einsum what cores did; what adds up their partial results is left out. */
function operationsByEinsum(einsums: readonly EinsumResult[], workload: Workload): Map<string, number> {
  const total = new Map<string, number>();
  for (const einsum of einsumsOf(workload)) {
    const own = einsums.filter(({ name }) => wholeOf(name) === einsum.name);
    const parts = own.filter(({ name }) => name !== einsum.name);
    total.set(einsum.name, sum((parts.length > 0 ? parts : own).map(({ operations }) => operations)));
  }
  return total;
}

/** What adds up on one engine adds up on many: every account per engine, every operation over all of them. */
function expectCoresToAddUp(result: Result, workload: Workload): void {
  const total = operationsByEinsum(result.einsums, workload);
  const mine = result.einsums.map((einsum) => ({ ...einsum, name: wholeOf(einsum.name) }));
  const whole = [...total].map(([name, operations]) => ({ ...mine[0]!, name, operations, engine: 'all cores' }));
  expectToAddUp({ ...result, einsums: [...mine, ...whole] }, workload);
}

describe('cores that share a memory', () => {
  const add = (M: number): LoadedWorkload =>
    aWorkload('Z[m,n] = X[m,n] + Y[m,n]', { ranks: `M: ${M}, N: 8`, inputs: 'X[m,n]  Y[m,n]' });

  it('take as long together as one takes for all bytes, when the memory is the limit', () => {
    const one = simulate({ arch: coresOf({ count: 1 }), workload: add(8), mapping: aMapping('loops: []') });
    const two = simulate({ arch: coresOf({ count: 2 }), workload: add(16), mapping: split('m', 'loops: []') });
    // Bytes, then a cycle until the token is seen, 16 cycles of 4 lanes, a cycle to the DMA.
    expect(one.cycles).toBe(128 + 1 + 16 + 1 + 64);
    // The first core computes while the second loads, which computes while the first stores.
    expect(two.cycles).toBe(2 * (128 + 64));
    expect(memory(two).bytesRead + memory(two).bytesWritten).toBe(two.cycles);
  });

  it('take as long as one core with its share, when computing is the limit', () => {
    const run = (count: number, M: number) =>
      simulate({ arch: coresOf({ count, hbm: fast }), workload: aGemm(M, 16, 64), mapping: split('m') });
    const one = simulate({ arch: coresOf({ count: 1, hbm: fast }), workload: aGemm(16, 16, 64) });
    for (const count of [2, 4, 8]) {
      const many = run(count, 16 * count);
      expect(many.cycles).toBe(one.cycles);
      const arrays = many.engines.filter(({ kind }) => kind === 'array');
      expect(arrays.map(({ name }) => name)).toEqual(Array.from({ length: count }, (_, i) => `core[${i}].array`));
      for (const { busy, peakOps } of arrays) {
        expect([busy, peakOps]).toEqual([one.engines[0]!.busy, one.engines[0]!.peakOps]);
      }
    }
  });

  it('end with the last core, which may be the one with most to do', () => {
    const run = (count: number, M: number) =>
      simulate({ arch: coresOf({ count, hbm: fast }), workload: add(M), mapping: aMapping('loops: [m]') });
    const result = run(2, 13);
    const [first, second] = result.einsums;
    expect([first!.operations, second!.operations]).toEqual([7 * 8, 6 * 8]);
    expect(first!.end).toBeGreaterThan(second!.end);
    expect(result.cycles).toBe(run(1, 7).cycles);
    expect(run(2, 12).cycles).toBe(run(1, 6).cycles);
  });

  it('contend for a link that they share, and not for one of their own', () => {
    const part = (count: number) => `wires: { kind: link, clock: core, count: ${count}, bandwidth: 1 GB/s }`;
    const run = (parts: Cores) =>
      simulate({ arch: coresOf({ hbm: fast, ...parts }), workload: add(16), mapping: split('m', 'loops: []') });
    const own = run({ via: 'dma 1 GB/s' });
    expect(own.cycles).toBe(128 + 1 + 16 + 1 + 64);
    expect(run({ via: 'wires', more: part(1) }).cycles).toBe(2 * (128 + 64));
    expect(run({ via: 'wires', more: part(2) }).cycles).toBe(128 + 64);
    // Wires of half the rate to a shared link that is fast enough for both.
    expect(run({ via: 'wires 500 MB/s', more: part(1) }).cycles).toBe(2 * (128 + 64) + 16 + 2);
  });
});

describe('the bytes that a split moves', () => {
  const arch = coresOf({ count: 4, array: broadcast });
  const [A, B, Z] = [32 * 24, 24 * 16, 32 * 16];

  it.each([
    { rank: 'm', read: A + 4 * B, written: Z, what: 'an operand without the rank is read by every core' },
    { rank: 'n', read: 4 * A + B, written: Z, what: 'so is the other one' },
    { rank: 'k', read: A + B + 4 * Z, written: 4 * Z + Z, what: 'partial results go to memory and come back' },
  ])('along $rank: $what', ({ rank, read, written }) => {
    const result = simulate({ arch, workload: aGemm(32, 16, 24), mapping: split(rank), values: true });
    expect([memory(result).bytesRead, memory(result).bytesWritten]).toEqual([read, written]);
    expect(result.values!.outputs[0]!.maxRelError).toBeLessThan(1e-12);
  });

  it('along a batch rank are those of one core', () => {
    const ranks = 'B: 8, M: 5, N: 6, K: 7';
    const inputs = 'A[b,m,k]  B[b,k,n]';
    const workload = aWorkload('Z[b,m,n] = A[b,m,k] * B[b,k,n]', { ranks, inputs, output: 'Z[b,m,n]' });
    const result = simulate({ arch, workload, mapping: split('b') });
    expect(memory(result).bytesRead).toBe(8 * (5 * 7 + 7 * 6));
    expect(memory(result).bytesWritten).toBe(8 * 5 * 6);
  });

  it('along the windows of a convolution include the halo of each core', () => {
    const inputs = 'I[k,p+r]  W[m,k,r]';
    const workload = aWorkload('Z[m,p] = I[k,p+r] * W[m,k,r]', {
      ranks: 'M: 4, P: 10, K: 3, R: 3',
      inputs,
      output: 'Z[m,p]',
    });
    const result = simulate({ arch, workload, mapping: split('p'), values: true });
    // Shares of 3, 3, 3 and 1.
    expect(memory(result).tensors.I!.read).toBe(3 * (5 + 5 + 5 + 3));
    expect(result.values!.outputs[0]!.maxRelError).toBeLessThan(1e-12);
  });
});

describe('a split reduction', () => {
  it('is added up by the cores’ vector units, each a part of the result', () => {
    const workload = aGemm(4, 6, 31);
    const result = simulate({
      arch: coresOf({ count: 3, array: broadcast }),
      workload,
      mapping: split('k'),
      values: true,
    });
    expect(result.values!.outputs[0]!.maxRelError).toBeLessThan(1e-12);
    expect(result.einsums.map(({ name, engine, operations }) => [name, engine, operations])).toEqual([
      ['Z.0', 'core[0].array', 24 * 11],
      ['Z.1', 'core[1].array', 24 * 11],
      ['Z.2', 'core[2].array', 24 * 9],
      ['Z', 'core[0].vector', 24],
      ['Z', 'core[1].vector', 24],
    ]);
    expectCoresToAddUp(result, workload.workload);
  });

  it('takes maxima of maxima', () => {
    const workload = aWorkload('Z[m] = max(n) X[m,n]', { ranks: 'M: 3, N: 50', inputs: 'X[m,n]', output: 'Z[m]' });
    const result = simulate({ arch: coresOf(), workload, mapping: split('n'), values: true });
    expect(result.values!.outputs[0]!.maxRelError).toBe(0);
  });

  it('says that no engine can add, where none can', () => {
    const arch = coresOf({ vector: 'exp: 1' });
    expect(() => bind(arch, aGemm(8, 8, 8), split('k'))).toThrowError(/no engine can run Z, which needs add/);
    expect(bind(arch, aGemm(8, 8, 64)).phases.first()!.sections.size).toBe(1);
  });
});

describe('a section that does not lie in one group', () => {
  const outside = 'vector: { kind: vector, clock: core, lanes: 4, operations: { mac: 1, add: 1, exp: 3 } }';
  const text = (count: number) => `machine: cores
clocks: { core: 1 GHz }
parts:
  hbm: { kind: memory, capacity: 1 GiB, bandwidth: 1 PB/s, latency: 0 ns }
  ${outside}
  core:
    count: ${count}
    parts:
      buffer: { kind: scratchpad, clock: core, capacity: 1 MiB, width: 1 KiB, latency: 0 cycles }
      array: { kind: array, clock: core, rows: 4, columns: 4, operations: { mac: 1 } }
    links: [hbm <-> buffer via dma, buffer <-> array]
links: [core.buffer <-> vector, core.array -> vector]
`;
  const workload = aWorkload('Y[m,n] = A[m,k] * B[k,n]\nZ[m,n] = exp(Y[m,n])', { ranks: 'M: 16, N: 16, K: 64' });
  const mapping = aMapping('loops: [m]');

  it('runs on the whole group in lockstep', () => {
    const arch = parseArch(text(4), 'cores.yaml');
    const result = simulate({ arch, workload, mapping, values: true });
    expect(result.engines.filter(({ kind }) => kind !== 'dma').map(({ name }) => name)).toEqual([
      'vector',
      'core.array',
    ]);
    expect(result.memories.map(({ name }) => name)).toEqual(['hbm', 'core.buffer']);
    expectToAddUp(result, workload.workload);
  });

  it('is not split on demand', () => {
    const arch = parseArch(text(4), 'cores.yaml');
    const asked = aMapping('sections:', '  - { einsums: [Y, Z], cores: { core: m } }');
    expect(mistake(() => bind(arch, workload, asked))).toEqual({
      message: 'Y, Z cannot be split over core: they run on vector too',
      line: 3,
    });
  });
});

describe('energy and area', () => {
  it('are those of all cores together, by the part that each has', () => {
    const run = (count: number) => {
      const arch = coresOf({ count, head: 'technology: aladdin-45nm' });
      return simulate({ arch, workload: aGemm(16, 16, 16), mapping: count > 1 ? split('m') : null });
    };
    const [one, four] = [run(1), run(4)];
    expect(one.energy.by['core.array']!.mac).toBeGreaterThan(0);
    expect(four.energy.by['core.array']!.mac).toBeCloseTo(one.energy.by['core.array']!.mac!, 20);
    expect(Object.keys(four.energy.by)).toEqual(Object.keys(one.energy.by));
    expect(four.area.by['core.array']).toBeCloseTo(4 * one.area.by['core.array']!, 12);
  });
});

describe('groups in groups', () => {
  const text = (parts: string) => `machine: chips
clocks: { core: 1 GHz }
parts:
  hbm: { kind: memory, capacity: 1 GiB, bandwidth: 1 GB/s, latency: 0 ns }
  chip:
    count: 2
    parts:
      ${parts}
      core:
        count: 3
        parts:
          buffer: { kind: scratchpad, clock: core, capacity: 1 MiB, width: 64 B }
          vector: { kind: vector, clock: core, lanes: 2, operations: { mac: 1, add: 1 } }
        links: [buffer <-> vector, hbm <-> buffer via dma]
`;
  const workload = aWorkload('Z[m] = X[m] + X[m]', { ranks: 'M: 24', inputs: 'X[m]', output: 'Z[m]' });
  const computing = (arch: Arch) =>
    simulate({ arch, workload, mapping: aMapping('loops: []') }).engines.flatMap(({ name, kind, busy }) =>
      kind === 'dma' ? [] : [[name, busy]],
    );

  it('are split over the outer one, with those inside in lockstep', () => {
    const cycles = 24 / 2 / (3 * 2);
    expect(computing(parseArch(text(''), 'chips.yaml'))).toEqual([
      ['chip[0].core.vector', cycles],
      ['chip[1].core.vector', cycles],
    ]);
  });

  it('are in lockstep when each has a memory of its own', () => {
    const own = 'hbm: { kind: memory, capacity: 1 GiB, bandwidth: 1 GB/s, latency: 0 ns }';
    expect(computing(parseArch(text(own), 'chips.yaml'))).toEqual([['chip.core.vector', 24 / (2 * 3 * 2)]]);
  });
});

describe('a mapping of cores', () => {
  const cascade = 'R[m+1] = R[m] + L[m] from R[0] = 0\nZ[m,n] = R[m+1] * C[n]';
  const running = aWorkload(cascade, { ranks: 'M: 6, N: 5', inputs: 'L[m]  C[n]' });

  it.each([
    { line: 'cores: { cor: m }', message: 'the machine has no cores "cor"', hint: 'did you mean "core"?' },
    { line: 'cores: { core: q }', message: 'no rank "q" here', hint: 'one of m, n' },
    { line: 'cores: { core: m }', message: 'm cannot be split: R goes through it step by step', hint: 'one of n' },
  ])('refuses $line', ({ line, message, hint }) => {
    expect(() => bind(coresOf(), running, aMapping(line))).toThrowError(InputError);
    const [found] = diagnosticsOf(() => bind(coresOf(), running, aMapping(line)));
    expect([found!.message, found!.hint, found!.place!.line]).toEqual([message, hint, 2]);
  });

  it('says why a rank of fused einsums cannot be split', () => {
    const softmax = aWorkload('G[m] = max(n) X[m,n]\nZ[m,n] = exp(X[m,n] - G[m])', {
      ranks: 'M: 6, N: 5',
      inputs: 'X[m,n]',
    });
    const arch = coresOf({ vector: 'max: 1, exp: 1, add: 1' });
    const asked = aMapping('loops: [m]', 'cores: { core: n }');
    expect(mistake(() => bind(arch, softmax, asked))).toEqual({
      message: 'n cannot be split over core: Z needs G, which is reduced over it',
      line: 3,
    });
    const result = simulate({ arch, workload: softmax, mapping: split('m', 'loops: [m]'), values: true });
    expect(result.values!.outputs[0]!.maxRelError).toBe(0);
  });

  it('may be left out: the rank that takes least time is split, over no more cores than it pays', () => {
    // A memory of a byte per cycle is the limit: four cores would fetch the weights four times.
    const slow = coresOf({ count: 4 });
    const best = simulate({ arch: slow, workload: aGemm(64, 8, 8) });
    expect(memory(best).bytesRead).toBe(64 * 8 + 64);
    for (const rank of ['m', 'n', 'k']) {
      const { cycles } = simulate({ arch: slow, workload: aGemm(64, 8, 8), mapping: split(rank) });
      expect(cycles, rank).toBeGreaterThan(best.cycles);
    }
  });

  it.each(['gemm', 'conv2d', 'mlp'])('is never much slower over more cores: %s', (name) => {
    const cycles = [1, 2, 4, 8, 16].map((count) => {
      const arch = shippedMachine('multi-core', [`core.count=${count}`]);
      return simulate({ arch, workload: shipped(name) }).cycles;
    });
    cycles.slice(1).forEach((n, i) => {
      expect(n, `${2 ** (i + 1)} cores`).toBeLessThan(1.05 * cycles[i]!);
    });
    expect(cycles[2]!).toBeLessThan(cycles[0]! / 2.5);
  });
});

describe('sections on cores, at random', () => {
  const cascades: { text: string; inputs: string; output: string; loops?: string }[] = [
    { text: 'Z[m,n] = A[m,k] * B[k,n]', inputs: 'A[m,k]  B[k,n]', output: 'Z[m,n]' },
    {
      text: 'Y[m,n] = A[m,k] * B[k,n]\nZ[m,j] = Y[m,n] * C[n,j]',
      inputs: 'A[m,k]  B[k,n]  C[n,j]',
      output: 'Z[m,j]',
      loops: 'm, n',
    },
    { text: 'Z[m,p] = I[k,p+r] * W[m,k,r]', inputs: 'I[k,p+r]  W[m,k,r]', output: 'Z[m,p]' },
    {
      text: 'G[m] = max(n) X[m,n]\nS[m,n] = exp(X[m,n] + G[m])\nD[m] = S[m,n]\nZ[m,n] = S[m,n] / D[m]',
      inputs: 'X[m,n]',
      output: 'Z[m,n]',
      loops: 'm',
    },
    { text: 'S[m] = X[m,n]\nZ[n] = X[m,n] * S[m]', inputs: 'X[m,n]', output: 'Z[n]' },
  ];

  interface Case {
    readonly arch: Arch;
    readonly workload: LoadedWorkload;
    readonly mapping: LoadedMapping | null;
    readonly program: Program;
  }

  const cases: fc.Arbitrary<Case | null> = fc.gen().map((generate) => {
    const draw = (min: number, max: number): number => generate(fc.integer, { min, max });
    const { text, inputs, output, loops } = cascades[draw(0, cascades.length - 1)]!;
    const names = [...new Set(`${inputs}${output}`.match(/\b[a-z]\b/g))];
    const ranks = names.map((name) => `${name.toUpperCase()}: ${draw(1, 11)}`).join(', ');
    const workload = aWorkload(text, { ranks, inputs, output });
    const arch = coresOf({
      count: draw(2, 4),
      hbm: `bandwidth: ${['1 GB/s', '3.7 GB/s', '64 GB/s'][draw(0, 2)]}, latency: ${draw(0, 7)} ns`,
      array: `rows: ${draw(1, 4)}, columns: ${draw(1, 4)}, operations: { mac: 1 }, feed: ${['systolic', 'broadcast'][draw(0, 1)]}`,
      via: ['dma', 'dma 2 GB/s', 'wires', 'wires 1.3 GB/s'][draw(0, 3)]!,
      more: `wires: { kind: link, clock: core, bandwidth: ${draw(1, 5)} GB/s, latency: ${draw(0, 3)} cycles }`,
    });
    const lines = [
      ...(loops ? [`loops: [${loops}]`] : []),
      ...(draw(0, 2) > 0 ? [`cores: { core: ${names[draw(0, names.length - 1)]!} }`] : []),
    ];
    const mapping = lines.length > 0 ? aMapping(...lines) : null;
    try {
      return { arch, workload, mapping, program: bind(arch, workload, mapping) };
    } catch (error) {
      if (error instanceof InputError) return null;
      throw error;
    }
  });

  it('do in every cycle what the slow twin does, in whatever order they are visited', () => {
    let bound = 0;
    fc.assert(
      fc.property(cases, fc.nat(), (drawn, seed) => {
        if (drawn === null) return;
        bound++;
        const { arch, program } = drawn;
        const run = runFast(arch, program);
        expect(run.account.standstill).toEqual([]);
        expect(run.account).toEqual(runSlow(arch, program, run));
        const shuffled = new Machine(arch, () => new ShuffledKernel(seed));
        expect(runFast(arch, program, shuffled).account).toEqual(run.account);
      }),
      { numRuns: 60 },
    );
    expect(bound).toBeGreaterThan(30);
  });

  it('do every point once, account for every cycle and byte, and compute what the evaluator does', () => {
    fc.assert(
      fc.property(cases, (drawn) => {
        if (drawn === null) return;
        const { arch, workload, mapping } = drawn;
        const result = simulate({ arch, workload, mapping, values: true });
        expectCoresToAddUp(result, workload.workload);
        for (const einsum of einsumsOf(workload.workload)) {
          const perPoint = sum([...operatorsPerPoint(einsum).values()]);
          const done = operationsByEinsum(result.einsums, workload.workload).get(einsum.name)!;
          expect(done).toBe(perPoint * pointsOf(workload.workload, einsum));
        }
        for (const { maxRelError } of result.values!.outputs) expect(maxRelError).toBeLessThan(1e-9);
        expect(simulate({ arch, workload, mapping, values: true })).toEqual(result);
      }),
      { numRuns: 50 },
    );
  });
});

function diagnosticsOf(run: () => unknown): InputError['diagnostics'] {
  try {
    run();
  } catch (error) {
    if (error instanceof InputError) return error.diagnostics;
    throw error;
  }
  return [];
}

function mistake(run: () => unknown): { message: string; line: number } {
  const [found] = diagnosticsOf(run);
  return { message: found!.message, line: found!.place!.line };
}
