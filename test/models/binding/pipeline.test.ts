import { describe, expect, it } from 'vitest';
import { bind } from '../../../models/binding/bind.ts';
import { simulate } from '../../../models/simulate.ts';
import { loadMapping, parseMapping } from '../../../workloads/language/mapping.ts';
import { mistakesIn } from '../../workloads/cascades.ts';
import { shipped, shippedMachine } from '../machines.ts';

const flat = shippedMachine('flat');
const fusemax = shippedMachine('fusemax');
const softmax = shipped('attention-3-pass', { B: 1, H: 1, E: 4, F: 4, P: 512, M: 512 });
const onePass = shipped('attention-1-pass', { B: 1, H: 2, E: 64, F: 64, P: 1024, M: 1024 });
const rows = [
  'partition: { P: [P1, P0 256], M: [M1, M0 256] }',
  'loops: [b, h, p1, pass, m1]',
  'passes: [[QK, GM], [SN, SD], [A, AV]]',
  'place: { array: { einsums: [QK, AV], rows: m0, columns: p0 }, vector: { einsums: [GM, SN, SD, A] } }',
];
const mapping = (...lines: string[]) => parseMapping(['mapping: mine', ...lines].join('\n'), 'm.yaml');
const mistakes = (...lines: string[]) => mistakesIn(() => bind(flat, softmax, mapping(...lines)));

describe('mistakes', () => {
  it.each<[string, string[], string]>([
    [
      'a pass before what it reads',
      rows.with(2, 'passes: [[SN, GM], [QK, SD], [A, AV]]'),
      '4:1 [passes] GM is in an earlier pass than QK, which makes QK for it; ' +
        'put QK into the same pass, or GM into a later one',
    ],
    [
      'no loop over passes',
      rows.with(1, 'loops: [b, h, p1, m1]'),
      '4:1 [passes] no loop is named "pass"; put "pass" before the loops that are gone through again',
    ],
    [
      'an einsum in no pass',
      rows.with(2, 'passes: [[QK, GM], [SN, SD, A]]'),
      '4:1 [passes] AV missing; name every einsum',
    ],
    [
      'an einsum in two stages',
      [...rows, 'pipeline: [[QK, GM], [SN, SD, A, AV, QK]]'],
      '6:38 [QK] QK stands twice; take it out once',
    ],
    [
      'a stage before what it reads',
      [...rows, 'pipeline: [[GM, SN, SD, A, AV], [QK]]'],
      '6:1 [pipeline] GM is in an earlier stage than QK, which it reads; put GM into stage 2 or a later one',
    ],
    [
      'einsums that wait for each other in a round',
      [...rows.with(3, 'place: { vector: { einsums: [SD, GM, SN, A] } }'), 'pipeline: [[QK, GM, SN, SD, A, AV]]'],
      '6:1 [pipeline] in a round of this pipeline GM, SN, SD would wait for each other; ' +
        'place them in the order of the cascade, or add a stage',
    ],
    [
      'a tensor read back by what does not read it',
      [...rows, 'spill: { QK: A }'],
      '6:14 [A] A does not read QK; name an einsum that does',
    ],
    [
      'a tensor in the place of one that it is not made of',
      [...rows, 'replace: { A: QK }'],
      '6:15 [QK] A does not read QK; name a tensor that it reads',
    ],
    [
      'a tensor in the place of one of another size',
      [...rows, 'replace: { SD: SN }'],
      '6:1 [replace] SD cannot take the place of SN: their tiles are not equally large',
    ],
    [
      'a tensor in the place of one that is read again',
      [...rows, 'spill: { SN: A }', 'replace: { SN: QK }'],
      '7:1 [replace] SN cannot take the place of QK: one of them goes to memory',
    ],
  ])('say so: %s', (_, lines, mistake) => {
    expect(mistakes(...lines)).toEqual([mistake]);
  });
});

describe('interleave: 1', () => {
  const tiled = ['partition: { P: [P1, P0 256] }', 'loops: [b, h, m1, p1]', 'hold: [Q]'];
  it('ends each round before the next', () => {
    const architecture = loadMapping('workloads/mappings/fusemax-architecture.yaml');
    const cycles = (interleave: number | null): number => {
      const mapped = {
        ...architecture,
        mapping: architecture.mapping.setIn(['sections', 0, 'interleave'], interleave),
      };
      return simulate({ arch: fusemax, workload: onePass, mapping: mapped }).cycles;
    };
    // Without it the array begins a tile's QK while the vector unit still adds up the tile before, 64 cycles in 32 rounds.
    expect(cycles(1)).toBeGreaterThan(cycles(null) + 31 * 50);
  });

  it('leaves a pipeline that would overtake itself to the binder', () => {
    const oneTile = shipped('attention-1-pass', { B: 1, H: 2, E: 64, F: 64, P: 256, M: 1024 });
    const deep = [...tiled, 'pipeline: [[QK, LM], [], [RM, PRM, SPD, SLN, SLD, SLNV], [], [RD, SPNV, RNV, AV]]'];
    const program = bind(fusemax, oneTile, mapping(...deep));
    const chosen = bind(fusemax, oneTile, mapping(...tiled));
    expect(program.phases).toEqual(chosen.phases);
  });
});

describe('space', () => {
  const peak = (...lines: string[]): number => {
    const long = shipped('attention-3-pass', { B: 1, H: 1, E: 64, F: 64, P: 512, M: 4096 });
    const result = simulate({ arch: flat, workload: long, mapping: mapping(...rows, ...lines) });
    return result.memories.find(({ name }) => name === 'buffer')!.peakBytes;
  };
  const row = 256 * 4096 * 2;

  it('holds a row of scores and one of probabilities, one of both, or neither', () => {
    const [both, one, neither] = [peak(), peak('replace: { SN: QK }'), peak('spill: { QK: SN, SN: A }')];
    expect(both).toBeGreaterThan(2 * row);
    expect(both - one).toBeGreaterThan(0.9 * row);
    expect(one).toBeGreaterThan(row);
    expect(neither).toBeLessThan(row);
  });
});
