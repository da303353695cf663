import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { simulate } from '../../models/simulate.ts';
import { describeWorkload } from '../../workloads/language/describe.ts';
import { compileEinsum, evaluate, randomInputs } from '../../workloads/language/evaluate.ts';
import { parseWorkload } from '../../workloads/language/load.ts';
import type { Box } from '../../workloads/language/region.ts';
import { extentsOf } from '../../workloads/language/shapes.ts';
import { einsumsOf, type LoadedWorkload } from '../../workloads/language/workload.ts';
import { aMachine, aMapping } from '../models/machines.ts';
import { mistakesIn } from './cascades.ts';

/** A window of `taps` over `width` elements, `margin` zeros in front of them, in steps of `stride`. */
interface Window {
  readonly width: number;
  readonly taps: number;
  readonly stride: number;
  readonly margin: number;
  readonly steps: number;
}

/** A convolution in two dimensions; the first line of the cascade is line 8. */
function convolution(y: Window, x: Window, padded = 'padded: I'): LoadedWorkload {
  const index = (variable: string, tap: string, { stride, margin }: Window): string =>
    `${stride}*${variable}+${tap}${margin > 0 ? `-${margin}` : ''}`;
  const text = [
    'workload: test',
    `ranks: { C: 2, H: ${y.width}, W: ${x.width}, P: ${y.steps}, Q: ${x.steps}, R: ${y.taps}, S: ${x.taps} }`,
    'inputs: I[c,h,w]  F[c,r,s]',
    'output: O[p,q]',
    padded,
    '',
    'cascade: |',
    `  O[p,q] = I[c,${index('p', 'r', y)},${index('q', 's', x)}] * F[c,r,s]`,
  ];
  return parseWorkload(text.join('\n'), 'test.yaml');
}

/** The tensor of `channels` x `height` x `width` with as many zeros around it as the windows reach. */
function withZeros(values: Float64Array, channels: number, y: Window, x: Window): number[][][] {
  const reach = ({ stride, steps, taps }: Window): number => stride * (steps - 1) + taps;
  return Array.from({ length: channels }, (_, c) =>
    Array.from({ length: reach(y) }, (_, i) =>
      Array.from({ length: reach(x) }, (_, j) => {
        const [row, column] = [i - y.margin, j - x.margin];
        const inside = row >= 0 && row < y.width && column >= 0 && column < x.width;
        return inside ? values[(c * y.width + row) * x.width + column]! : 0;
      }),
    ),
  );
}

/** Windows that read some of the tensor, and most of them beyond its edges. */
const window: fc.Arbitrary<Window> = fc
  .record({
    width: fc.integer({ min: 1, max: 5 }),
    taps: fc.integer({ min: 1, max: 4 }),
    stride: fc.integer({ min: 1, max: 3 }),
    margin: fc.integer({ min: 0, max: 3 }),
    steps: fc.integer({ min: 1, max: 4 }),
  })
  .filter(({ taps, stride, margin, steps }) => stride * (steps - 1) + taps > margin);

describe('a padded tensor', () => {
  it('reads as one with zeros written around it', () => {
    fc.assert(
      fc.property(window, window, (y, x) => {
        const { workload } = convolution(y, x);
        const inputs = randomInputs(workload, 5);
        const image = withZeros(inputs.get('I')!, 2, y, x);
        const filter = inputs.get('F')!;
        const found = evaluate(workload, inputs).get('O')!;
        for (let p = 0; p < y.steps; p++)
          for (let q = 0; q < x.steps; q++) {
            let sum = 0;
            for (let c = 0; c < 2; c++)
              for (let r = 0; r < y.taps; r++)
                for (let s = 0; s < x.taps; s++)
                  sum += image[c]![y.stride * p + r]![x.stride * q + s]! * filter[(c * y.taps + r) * x.taps + s]!;
            expect(found[p * x.steps + q]).toBeCloseTo(sum, 12);
          }
      }),
    );
  });

  it('reads the same box by box, each with values of its own', () => {
    fc.assert(
      fc.property(window, window, (y, x) => {
        const { workload } = convolution(y, x);
        const [einsum] = einsumsOf(workload);
        const inputs = randomInputs(workload, 6);
        const boxes = [...extentsOf(workload, einsum!)].reduce<Box[]>(
          (found, [variable, extent]) =>
            Array.from(
              { length: Math.ceil(extent / 2) },
              (_, i) => [2 * i, Math.min(extent, 2 * i + 2)] as const,
            ).flatMap((range) => found.map((box) => new Map([...box, [variable, range]]))),
          [new Map()],
        );
        const output = new Float64Array(y.steps * x.steps);
        const run = compileEinsum(workload, einsum!);
        // What an earlier box read must not be left where a later one reads.
        const other = new Map([...inputs].map(([name, values]) => [name, values.map((value) => -value)]));
        run((tensor) => other.get(tensor)!, new Float64Array(output.length));
        // The last variables are the outermost, so that a box where the reduced ones begin comes before the others.
        for (const box of boxes) run((tensor) => inputs.get(tensor)!, output, box);
        evaluate(workload, inputs)
          .get('O')!
          .forEach((value, i) => {
            expect(output[i]).toBeCloseTo(value, 12);
          });
      }),
    );
  });

  it('may be computed, and be the operand of any einsum', () => {
    const text = [
      'workload: test',
      'ranks: { H: 3, R: 3 }',
      'inputs: A[h]',
      'output: Z[h]',
      'padded: X',
      'cascade: |',
      '  X[h] = A[h] * 2',
      '  Z[h] = max(r) X[h+r-1] - 1',
    ];
    const { workload } = parseWorkload(text.join('\n'), 'test.yaml');
    const values = evaluate(workload, new Map([['A', Float64Array.of(-1, -2, -3)]]));
    expect([...values.get('Z')!]).toEqual([-1, -3, -1]);
    expect(workload.tensors.map(({ padded }) => padded).toObject()).toEqual({ A: false, X: true, Z: false });
  });

  it('keeps its shape, and may be read in part', () => {
    const text = [
      'workload: test',
      'ranks: { H: 6, P: 3 }',
      'inputs: A[h]',
      'output: Z[p]',
      'cascade: |',
      '  X[p] = A[2*p]',
      '  Z[p] = A[2*p-1] + X[p]',
      'padded: A',
    ];
    const { workload } = parseWorkload(text.join('\n'), 'test.yaml');
    expect(workload.tensors.get('A')!.shape.toArray()).toEqual([6]);
    expect(describeWorkload({ workload, places: new Map() })).toMatch(/ A {2}input .* 12 B {2}padded with zeros\n/);
    const values = evaluate(workload, new Map([['A', Float64Array.of(1, 2, 3, 4, 5, 6)]]));
    expect([...values.get('Z')!]).toEqual([1, 5, 9]);
  });

  it('is moved tile by tile as far as it exists when a machine computes with it', () => {
    const size = fc.integer({ min: 1, max: 3 });
    fc.assert(
      fc.property(window, size, size, (w, p0, r0) => {
        const text = [
          'workload: test',
          `ranks: { C: 2, H: ${w.width}, P: ${w.steps}, R: ${w.taps} }`,
          'inputs: I[h,c]',
          'output: O[p,c]',
          'padded: I',
          `cascade: O[p,c] = max(r) I[${w.stride}*p+r-${w.margin},c]`,
        ];
        const workload = parseWorkload(text.join('\n'), 'test.yaml');
        const mapping = aMapping(`partition: { P: [P1, P0 ${p0}], R: [R1, R0 ${r0}] }`, 'loops: [p1, r1]');
        const { values } = simulate({ arch: aMachine(), workload, mapping, values: true });
        expect(values!.outputs).toMatchObject([{ tensor: 'O', elements: 2 * w.steps, maxAbsError: 0 }]);
      }),
    );
  });
});

describe('mistakes', () => {
  const window = { width: 4, taps: 3, stride: 1, margin: 1, steps: 4 };
  const mistakes = (y: Window, padded?: string): string[] =>
    mistakesIn(() => convolution(y, { ...window, steps: 2, margin: 0 }, padded));

  it('reading beyond the edges of a tensor is one, and says how it is none', () => {
    expect(mistakes(window, '')).toEqual([
      '8:16 [1*p+r-1] p+r-1 begins at -1; indices of I begin at 0; write "padded: I" if zeros surround it',
    ]);
    expect(mistakes({ ...window, margin: 0 }, '')).toEqual([
      '8:16 [1*p+r] p+r reaches 5, but I ends at 3 there; it is I[c,h,w]; write "padded: I" if zeros surround it',
    ]);
  });

  it('so is reading nothing but padding', () => {
    expect(mistakes({ ...window, margin: 9 })).toEqual([
      '8:16 [1*p+r-9] p+r-9 reads nothing but the zeros around I, which goes from 0 to 3 there; it is I[c,h,w]',
    ]);
  });

  it.each([
    ['padded: II', '5:9 [II] there is no tensor "II" to pad; did you mean "I"?'],
    ['padded: I, K', '5:12 [K] there is no tensor "K" to pad; one of I, F, O'],
    ['padded: i', '5:9 [i] "i" stands where the name of a tensor is expected'],
    ['padded: [I]', '5:1 [padded] "padded" is not a string; such as "padded: I"'],
    ['paded: I', '5:1 [paded] unknown key "paded"; did you mean "padded"?'],
  ])('%s', (line, mistake) => {
    expect(mistakes(window, line)).toContain(mistake);
  });

  it('a plain rank must fit a padded tensor too', () => {
    const text = [
      'workload: test',
      'ranks: { H: 4, P: 5 }',
      'inputs: A[h]',
      'output: Z[p]',
      'padded: A',
      'cascade: Z[p] = A[p]',
    ];
    expect(mistakesIn(() => parseWorkload(text.join('\n'), 'test.yaml'))).toEqual([
      '6:19 [p] p has extent 5, but A has 4 there; it is A[h]',
    ]);
  });

  it('an input cannot be declared beyond its edges', () => {
    const text = ['workload: test', 'ranks: { P: 5 }', 'inputs: A[p-1]', 'output: Z[p]', 'cascade: Z[p] = A[p-1]'];
    expect(mistakesIn(() => parseWorkload(text.join('\n'), 'test.yaml'))).toContain(
      '3:11 [p-1] p-1 begins at -1; indices begin at 0; declare A on ranks of its own and write "padded: A" if zeros surround it',
    );
  });
});
