import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { banksOf } from '../../../../arch/language/dram/device.ts';
import { type Gemv, gemv } from '../../../../workloads/pim/gemv.ts';
import { checkCommands } from '../../../reference/dram-checker.ts';
import { PimValues, rounded } from '../../../reference/pim-values.ts';
import { dialect, sentBy } from './runs.ts';

const seed = Number(process.env.SEED ?? 20261121);
const lanes = 16;

type Matrix = readonly (readonly number[])[];

/** Where a matrix puts the chunk of a row: how many columns a unit has before it. */
function positionOf(
  { units, sums, chunks, operands, partials }: Gemv,
  rows: number,
  row: number,
  chunk: number,
): number {
  const round = Math.floor(row / units);
  if (partials > 1) {
    const part = Math.floor(chunk / operands);
    const length = Math.min(operands, chunks - part * operands);
    return Math.ceil(rows / units) * operands * part + round * length + (chunk % operands);
  }
  const group = Math.floor(round / sums);
  const size = Math.min(sums, Math.ceil(rows / units) - group * sums);
  const pass = Math.floor(chunk / operands);
  const length = Math.min(operands, chunks - pass * operands);
  return group * sums * chunks + pass * operands * size + (round % sums) * length + (chunk % operands);
}

/** Multiplies in the memory. `banksOfUnit` says in which order the columns of a unit go through its banks. */
function multiply(
  name: string,
  mac: string,
  banksOfUnit: readonly number[],
  matrix: Matrix,
  vector: readonly number[],
) {
  const device = dialect(name);
  const plan = gemv(device, mac, { rows: matrix.length, columns: vector.length, lanes });
  const unit = device.commands.find((command) => command.name === mac)!.pim!.unit;
  const each = banksOf(device) / plan.units;
  const chunkOf = (values: readonly number[], chunk: number) =>
    Array.from({ length: lanes }, (_, lane) => values[chunk * lanes + lane] ?? 0);
  const result = Array<number>(matrix.length).fill(Number.NaN);
  const memory = new PimValues(
    device,
    { lanes, unit },
    ({ row, entry }, buffer) =>
      buffer === 'operands' ? chunkOf(vector, row * plan.operands + entry) : Array<number>(plan.units).fill(0),
    ({ bank, row, sum }, values) => {
      const groups = Math.ceil(matrix.length / plan.units / plan.sums);
      const first = ((row % groups) * plan.sums + sum) * plan.units + Math.floor(bank / each);
      for (const [i, value] of values.entries()) {
        const index = first + i;
        const before = row < groups ? 0 : result[index]!;
        if (index < result.length) result[index] = before + value;
      }
    },
  );
  matrix.forEach((values, row) => {
    for (let chunk = 0; chunk < plan.chunks; chunk++) {
      const position = positionOf(plan, matrix.length, row, chunk);
      const line = Math.floor(position / device.bursts);
      const bank = (row % plan.units) * each + banksOfUnit[line % banksOfUnit.length]!;
      const open = Math.floor(line / banksOfUnit.length);
      memory.store(bank, open, position % device.bursts, chunkOf(values, chunk));
    }
  });
  const [sent] = sentBy(device, plan.program);
  for (const command of sent) memory.execute(command);
  return { device, sent, result, part: plan.partials > 1 ? plan.operands : plan.chunks };
}

/** The product with the same roundings, chunk by chunk; sums of so many chunks are added up without rounding. */
function expected(matrix: Matrix, vector: readonly number[], type: string, sums: string, part: number): number[] {
  const chunks = Math.ceil(vector.length / lanes);
  return matrix.map((row) => {
    let [all, sum] = [0, 0];
    for (let chunk = 0; chunk < chunks; chunk++) {
      if (chunk % part === 0) [all, sum] = [all + sum, 0];
      let terms = Array.from({ length: lanes }, (_, lane) => {
        const at = chunk * lanes + lane;
        return rounded(rounded(row[at] ?? 0, type) * rounded(vector[at] ?? 0, type), sums);
      });
      while (terms.length > 1) {
        terms = Array.from({ length: terms.length / 2 }, (_, i) => rounded(terms[2 * i]! + terms[2 * i + 1]!, sums));
      }
      sum = rounded(sum + terms[0]!, sums);
    }
    return all + sum;
  });
}

const fractions = fc.integer({ min: -1000, max: 1000 }).map((n) => n / 1000);
/** Sums of their products are exact in any order. */
const whole = fc.integer({ min: -1, max: 1 });
const products = (numbers: fc.Arbitrary<number>, most: number, wide: number) =>
  fc
    .record({
      pool: fc.array(numbers, { minLength: 97, maxLength: 97 }),
      // Few columns or few rows, each at times more than the buffers hold.
      shape: fc.oneof(
        fc.record({ rows: fc.integer({ min: 1, max: most }), columns: fc.integer({ min: 1, max: 40 }) }),
        fc.record({ rows: fc.integer({ min: 1, max: 20 }), columns: fc.integer({ min: 1, max: wide }) }),
      ),
    })
    .map(({ pool, shape: { rows, columns } }) => ({
      matrix: Array.from({ length: rows }, (_, i) =>
        Array.from({ length: columns }, (_, j) => pool[(i * 31 + j * 7 + i * j) % 97]!),
      ),
      vector: Array.from({ length: columns }, (_, j) => pool[(j * 13) % 97]!),
    }));

describe.each([
  ['attacc-hbm3', 'MACAB', [0], fractions, 1500, 1500],
  ['attacc-hbm3', 'MACSB', [0, 1, 2, 3], fractions, 400, 1500],
  ['aim-gddr6', 'MAC16', [0], fractions, 400, 2500],
  ['pim-gpt-gddr6', 'MAC16', [0], fractions, 400, 2500],
  // The stack id changes first, then the bank group, then the bank. Those whose rows are open are not held up by those
  // whose rows are not, so that sums may be made in another order.
  [
    'attacc-hbm3',
    'MACPB',
    Array.from({ length: 32 }, (_, i) => (i % 2) * 16 + (Math.floor(i / 2) % 4) * 4 + Math.floor(i / 8)),
    whole,
    70,
    1500,
  ],
] as const)('%s: %s', (name, mac, banksOfUnit, numbers, most, wide) => {
  it('multiplies any matrix by any vector, rounded as the dialect says', () => {
    fc.assert(
      fc.property(products(numbers, most, wide), ({ matrix, vector }) => {
        const { device, result, part } = multiply(name, mac, banksOfUnit, matrix, vector);
        expect(result).toEqual(expected(matrix, vector, device.units!.type, device.units!.sums, part));
        const exact = matrix.map((row) => row.reduce((all, value, at) => all + value * vector[at]!, 0));
        const furthest = Math.max(...result.map((value, at) => Math.abs(value - exact[at]!)));
        // A sum of bf16 has 8 bits.
        expect(furthest).toBeLessThan((device.units!.sums === 'bf16' ? 0.08 : 0.01) * vector.length + 0.01);
      }),
      { seed, numRuns: 10 },
    );
  }, 30_000);
});

it.each([
  ['attacc-hbm3', 'MACAB'],
  ['aim-gddr6', 'MAC16'],
  ['pim-gpt-gddr6', 'MAC16'],
])('%s keeps the rules of the memory while it multiplies', (name, mac) => {
  const matrix = Array.from({ length: 130 }, (_, i) => Array.from({ length: 40 }, (_, j) => (i - j) / 100));
  const { device, sent } = multiply(name, mac, [0], matrix, matrix[0]!);
  expect(checkCommands(device, sent)).toEqual([]);
});

describe('rounding', () => {
  it.each([
    [1 + 2 ** -11, 'fp16', 1],
    [1 + 3 * 2 ** -11, 'fp16', 1 + 2 ** -9],
    [65519, 'fp16', 65504],
    [65520, 'fp16', Number.POSITIVE_INFINITY],
    [2 ** -25, 'fp16', 0],
    [1.5 * 2 ** -24, 'fp16', 2 ** -23],
    [1 + 2 ** -8, 'bf16', 1],
    [-(1 + 3 * 2 ** -8), 'bf16', -(1 + 2 ** -6)],
    [0.1, 'fp32', Math.fround(0.1)],
  ])('%d is %s %d', (value, type, nearest) => expect(rounded(value, type)).toBe(nearest));
});
