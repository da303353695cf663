import { describe, expect, it } from 'vitest';
import { nestOf } from '../../../models/binding/partition.ts';
import { simulate } from '../../../models/simulate.ts';
import { aMapping, shipped, shippedMachine } from '../machines.ts';

/** Nests to try, each as its loops from outer to inner: `name trips tile`. */
function nests(extents: Readonly<Record<string, number>>, ...lines: string[]): string[] {
  const section = aMapping(...lines).mapping.sections.first()!;
  const found = [...nestOf(section, Object.keys(extents), new Map(Object.entries(extents)))];
  return found.map((nest) =>
    nest.loops.map(({ name, variable, trips }) => `${name} ${trips} ${nest.axis(variable).tile}`).join(', '),
  );
}

describe('the nest of a mapping', () => {
  it('loops over the tiles of a partitioned rank and the points of another', () => {
    expect(nests({ m: 12, n: 5 }, 'partition: { M: [M1, M0 4] }', 'loops: [n, m1]')).toEqual(['n 5 1, m1 3 4']);
  });

  it('rounds up where the tile does not divide the rank', () => {
    expect(nests({ m: 13 }, 'partition: { M: [M1, M0 4] }', 'loops: [m1]')).toEqual(['m1 4 4']);
  });

  it('takes a rank that is smaller than its tile whole', () => {
    expect(nests({ m: 3 }, 'partition: { M: [M1, M0 4] }', 'loops: [m1]')).toEqual(['m1 1 3']);
  });

  it('leaves a rank that is neither partitioned nor among the loops whole', () => {
    const section = aMapping('loops: [n]').mapping.sections.first()!;
    const [nest] = [
      ...nestOf(
        section,
        ['m', 'n'],
        new Map([
          ['m', 6],
          ['n', 2],
        ]),
      ),
    ];
    expect(nest!.axis('m')).toMatchObject({ extent: 6, tile: 6, mask: 0 });
  });

  it('tries every way to divide tiles among parts without a size, the largest inner part first', () => {
    expect(nests({ p: 24 }, 'partition: { P: [P2, P1, P0 2] }', 'loops: [p2, p1]')).toEqual([
      'p2 1 2, p1 12 2',
      'p2 2 2, p1 6 2',
      'p2 3 2, p1 4 2',
      'p2 4 2, p1 3 2',
      'p2 6 2, p1 2 2',
      'p2 12 2, p1 1 2',
    ]);
  });

  it('keeps the sizes that a part has', () => {
    expect(nests({ p: 24 }, 'partition: { P: [P2, P1 3, P0 2] }', 'loops: [p2, p1]')).toEqual(['p2 4 2, p1 3 2']);
  });

  it('goes over the parts in their order when it names no loops', () => {
    expect(nests({ m: 4, n: 6 }, 'partition: { M: [M1, M0 2], N: [N1, N0 2] }')).toEqual(['m1 2 2, n1 3 2']);
  });

  it('combines the choices of several ranks', () => {
    const lines = ['partition: { M: [M2, M1, M0 1], N: [N2, N1, N0 1] }', 'loops: [m2, n2, m1, n1]'];
    const found = nests({ m: 4, n: 2 }, ...lines);
    expect(found).toHaveLength(3 * 2);
    expect(found[0]).toBe('m2 1 1, n2 1 1, m1 4 1, n1 2 1');
  });
});

describe('an iterative rank in two loops', () => {
  const workload = shipped('attention-1-pass', { B: 1, H: 1, E: 8, F: 8, P: 512, M: 1024, M0: 128 });
  const run = (partition: string, loops: string) =>
    simulate({
      arch: shippedMachine('fusemax'),
      workload,
      values: true,
      mapping: aMapping(
        'sections:',
        '  - einsums: [QK, LM, RM, SLN, SLD, SLNV, PRM, SPD, RD, SPNV, RNV]',
        `    partition: { ${partition}, P: [P1, P0 256] }`,
        `    loops: ${loops}`,
        '    hold: [Q, K, V]',
      ),
    });

  it('runs as in one', () => {
    const split = run('M1: [M12, M11 2, M10 1]', '[p1, m12, m11]');
    const { fastForward: _, mapping: __, ...one } = run('M1: [M11, M10 1]', '[p1, m11]');
    expect(split).toMatchObject(one);
    for (const { maxRelError } of split.values!.outputs) expect(maxRelError).toBeLessThanOrEqual(1e-9);
  });
});
