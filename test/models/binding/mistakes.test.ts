import { describe, expect, it } from 'vitest';
import { bind } from '../../../models/binding/bind.ts';
import { mistakesIn } from '../../workloads/cascades.ts';
import { aGemm, aMachine, aMapping, aWorkload, type MachineParts, plainLinks, shipped } from '../machines.ts';

/** Mistakes of a mapping of an 8 x 8 x 8 product; the mapping's first line is line 2 of its file. */
const inMapping = (...lines: string[]) => mistakesIn(() => bind(aMachine(), aGemm(8, 8, 8), aMapping(...lines)));

const onMachine = (parts: MachineParts) => mistakesIn(() => bind(aMachine(parts), aGemm(8, 8, 8)));

describe('names in a mapping', () => {
  it.each<[string, string, string[], string]>([
    ['a loop', 'no loop', ['loops: [mm]'], '2:9 [mm] no loop "mm"; did you mean "m"?'],
    ['a loop', 'twice', ['loops: [m, m]'], '2:12 [m] loop "m" stands twice; take it out once'],
    [
      'an engine',
      'none',
      ['place: { arrray: {} }'],
      '2:10 [arrray] the machine has no engine "arrray"; did you mean "array"?',
    ],
    ['an einsum', 'none', ['place: { array: { einsums: Y } }'], '2:28 [Y] no einsum "Y" in this section; one of Z'],
    ['a tensor', 'none to hold', ['hold: [C]'], '2:8 [C] no tensor C in this section; one of A, B, Z'],
    ['a tensor', 'none to stream', ['stream: { AA: 2 }'], '2:11 [AA] no tensor AA in this section; did you mean "A"?'],
    ['a rank', 'none', ['partition: { P: [P1, P0 2] }'], '2:14 [P] no rank P here; one of M, N, K'],
    ['a part', 'no size', ['partition: { M: [M1, M0] }'], '2:22 [M0] M0 has no size; write "M0 256"'],
    [
      'a part',
      'not among the loops',
      ['partition: { M: [M1, M0 2] }', 'loops: [n]'],
      '3:1 [loops] "m1" is not among the loops; name every part but the innermost',
    ],
    [
      'a part',
      'does not divide',
      ['partition: { M: [M2, M1 3, M0 2] }', 'loops: [m2, m1]'],
      "2:1 [partition] M1 3 does not divide M's 4 tiles",
    ],
  ])('are told apart: %s, %s', (_, __, lines, mistake) => {
    expect(inMapping(...lines)).toEqual([mistake]);
  });

  it('are all checked in one go', () => {
    const mistakes = inMapping('loops: [mm, nn]', 'hold: [C]', 'place: { arrray: { einsums: [Y] } }');
    expect(mistakes.map((mistake) => mistake.replace(/;.*/, ''))).toEqual([
      '2:9 [mm] no loop "mm"',
      '2:13 [nn] no loop "nn"',
      '3:8 [C] no tensor C in this section',
      '4:10 [arrray] the machine has no engine "arrray"',
      '4:30 [Y] no einsum "Y" in this section',
    ]);
  });
});

describe('space', () => {
  it('that a mapping needs more of than there is is named with its largest tensors', () => {
    const arch = aMachine({ buffer: 'capacity: 100 B, width: 1 B, latency: 0 cycles' });
    expect(mistakesIn(() => bind(arch, aGemm(8, 8, 8), aMapping('loops: []', 'partition: {}')))).toEqual([
      '3:1 [partition] buffer is too small by 284 B: it holds 100 B, and 384 B are needed; largest: A 2 x 64 B, B 2 x 64 B, Z 2 x 64 B; use smaller tiles, hold or stream less',
    ]);
  });

  it('is enough to the byte', () => {
    const bindWith = (bytes: number) => () =>
      bind(
        aMachine({ buffer: `capacity: ${bytes} B, width: 1 B, latency: 0 cycles` }),
        aGemm(8, 8, 8),
        aMapping('loops: []'),
      );
    expect(bindWith(384)).not.toThrow();
    expect(bindWith(383)).toThrow('buffer is too small by 1 B: it holds 383 B, and 384 B are needed');
  });

  it('that not even the smallest tiles fit into is a matter of the machine', () => {
    expect(onMachine({ buffer: 'capacity: 2 B, width: 1 B, latency: 0 cycles' })).toEqual([
      expect.stringMatching(
        /^6:3 \[Z\] buffer is too small by 22 B: it holds 2 B, and 24 B are needed; .*give it more capacity/,
      ),
    ]);
  });

  it('in memory is checked as well', () => {
    const small = aMachine({}, ['hbm.capacity=191 B']);
    expect(mistakesIn(() => bind(small, aGemm(8, 8, 8)))).toEqual([
      'inputs and outputs need 192 B of memory, but there is 191 B; give the memory more capacity, or make ranks smaller',
    ]);
    expect(() => bind(aMachine({}, ['hbm.capacity=192 B']), aGemm(8, 8, 8))).not.toThrow();
  });
});

describe('a cascade', () => {
  it.each([
    [
      'softmax',
      { N: 8, M: 8 },
      ['loops: [n, m]'],
      'SN needs another pass over m: GM is complete only when m has ended',
    ],
    [
      'attention-3-pass',
      { B: 1, H: 1, E: 2, F: 2, P: 4, M: 8 },
      ['loops: [b, h, m1]', 'partition: { M: [M1, M0 4] }'],
      'SN needs another pass over m1: GM is complete only when m1 has ended',
    ],
    [
      'attention-2-pass',
      { B: 1, H: 1, E: 2, F: 2, P: 4, M: 8, M0: 4 },
      ['loops: [m1]'],
      'PLM needs another pass over m1: GM is complete only when m1 has ended',
    ],
  ])('that needs another pass, %s, is refused with the einsum that needs it', (name, shape, lines, message) => {
    const [first, ...others] = mistakesIn(() => bind(aMachine(), shipped(name, shape), aMapping(...lines)));
    expect(first).toMatch(`2:1 [loops] ${message}; leave m`);
    expect(others).toEqual([]);
  });

  it('whose sums would need another pass over a loop around an iterative one is refused', () => {
    const workload = aWorkload('D[m] = R[m] * A[m,k]\nR[m+1] = D[m] + R[m] from R[0] = 1\nZ[n] = R[M] * B[n]', {
      inputs: 'A[m,k]  B[n]',
      output: 'Z[n]',
    });
    expect(mistakesIn(() => bind(aMachine(), workload, aMapping('loops: [k, m]')))).toEqual([
      expect.stringContaining('2:1 [loops] D needs another pass over k: R is complete only when k has ended'),
    ]);
    expect(() => bind(aMachine(), workload, aMapping('loops: [m, k]'))).not.toThrow();
  });

  it('whose iterative rank is missing from the loops is told so', () => {
    const workload = shipped('attention-1-pass', { B: 1, H: 1, E: 2, F: 2, P: 4, M: 8, M0: 2 });
    expect(mistakesIn(() => bind(aMachine(), workload, aMapping('loops: [b, h]')))).toEqual([
      `2:1 [loops] RM needs its own last iteration's value: m1 must be one of the loops; name m1 in "loops"`,
    ]);
  });

  it('whose iterations are taken apart by another loop is told which', () => {
    const workload = shipped('attention-1-pass', { B: 1, H: 1, E: 2, F: 2, P: 4, M: 8, M0: 2 });
    const parts = 'partition: { M1: [M12, M11 2, M10 1], P: [P1, P0 2] }';
    expect(mistakesIn(() => bind(aMachine(), workload, aMapping(`${parts}\nloops: [m12, p1, m11]`)))).toEqual([
      '3:1 [loops] RM hands its value from one iteration of m1 to the next, but p1 comes between m12, m11; put m12, m11 next to each other',
    ]);
    expect(() => bind(aMachine(), workload, aMapping(`${parts}\nloops: [p1, m12, m11]`))).not.toThrow();
  });

  it('whose recurrence is cut into sections is told what belongs together', () => {
    const parts = { ranks: 'M: 4, N: 2, K: 2', inputs: 'A[m,k]  B[k,m]  C[n]' };
    const cascade =
      'L[m] = A[m,k] * B[k,m]\nD[m] = R[m] * L[m]\nR[m+1] = D[m] + L[m] from R[0] = 0\nZ[m,n] = R[m+1] * C[n]';
    const cut = aMapping('sections:', '  - { einsums: [L, D] }', '  - { einsums: [R, Z] }');
    expect(mistakesIn(() => bind(aMachine(), aWorkload(cascade, parts), cut))).toEqual([
      '3:7 [einsums] D needs R of the iteration before, which a later section makes; put D and R into one section',
    ]);
  });

  it('with an operation that no engine has is told which, and what engines have', () => {
    const vector = 'clock: core, lanes: 2, operations: { add: 1 }';
    expect(mistakesIn(() => bind(aMachine({ vector }), shipped('softmax', { N: 8, M: 8 })))).toEqual([
      '10:3 [GM] no engine can run GM, which needs max: array lacks max, it has mac; vector lacks max, it has add; add max to the operations of vector',
      '11:3 [SN] no engine can run SN, which needs sub and exp: array lacks sub and exp, it has mac; vector lacks exp, it has add; add exp to the operations of vector',
      '13:3 [Y] no engine can run Y, which needs divide: array lacks divide, it has mac; vector lacks divide, it has add; add divide to the operations of vector',
    ]);
  });

  it('placed on an engine that lacks its operation is told so at the placement', () => {
    const workload = aWorkload('Y[m,n] = A[m,k] * B[k,n]\nZ[m,n] = exp(Y[m,n])');
    expect(mistakesIn(() => bind(aMachine(), workload, aMapping('place: { array: { einsums: [Y, Z] } }')))).toEqual([
      '2:32 [Z] Z needs exp, which array lacks: it has mac; place it on another engine',
    ]);
  });

  it('is not summed over a side that cannot sum', () => {
    expect(inMapping('place: { array: { einsums: [Z], rows: k } }')).toEqual([
      '2:1 [place] array cannot reduce k over its rows for Z',
    ]);
  });
});

describe('a machine', () => {
  it.each([
    [
      'cannot store',
      ['hbm <-> buffer via dma', 'buffer -> array'],
      '6:3 [Z] no scratchpad for results joins array to memory, which Z needs: array reads from buffer and writes to nothing; hbm is joined to buffer',
    ],
    [
      'cannot load',
      ['hbm <-> buffer via dma', 'array -> buffer'],
      '6:3 [Z] no scratchpad for inputs joins a memory to array, where Z reads A: array reads from nothing and writes to buffer; hbm is joined to buffer',
    ],
    [
      'has no way to its memory',
      plainLinks.slice(1),
      'the machine has no memory that a dma joins to a scratchpad both ways; add a link such as "hbm <-> buffer via dma"',
    ],
  ])('that %s is refused', (_, links, mistake) => {
    expect(onMachine({ links })).toEqual([mistake]);
  });

  it('that sums down its columns by its dataflow may sum across its rows as well', () => {
    const array =
      'rows: 4, columns: 4, dataflow: weight-stationary, reduce: { along: rows, latency: 1 cycle per column }';
    expect(() => bind(aMachine({ array: `${array}, operations: { mac: 1 }` }), aGemm(8, 8, 8))).not.toThrow();
  });
});
