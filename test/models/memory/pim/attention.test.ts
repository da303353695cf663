import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PimChannel } from '../../../../models/memory/pim/channel.ts';
import { type AttentionShape, attentionJobs, attentionRows } from '../../../../workloads/pim/attention.ts';
import { attentionCycles } from '../../../../workloads/studies/neupims/attention.ts';
import { PimValues, rounded } from '../../../reference/pim-values.ts';
import { dialect, issued } from './runs.ts';

const seed = Number(process.env.SEED ?? 20261121);
const lanes = 16;
const inRow = 512;
const banks = 32;

describe("attention alone on NeuPIMs' machine takes the cycles of its simulator:", () => {
  it.each([
    ['main', 1, 32, 7242],
    ['main', 1, 512, 16013],
    ['main', 1, 2048, 63485],
    ['main', 32, 512, 16299],
    ['npu+pim', 1, 128, 10337],
    ['npu+pim', 32, 512, 90383],
  ] as const)('%s, %i x %i tokens: %i', (branch, count, length, cycles) => {
    const isMain = branch === 'main';
    const requests = Array.from({ length: count }, (_, channel) => ({ channel, length }));
    const end = attentionCycles(dialect(isMain ? 'neupims-hbm2' : 'newton-hbm2'), requests, {
      mode: isMain ? 'concurrent' : 'blocked',
      atOnce: isMain,
    });
    expect(end + (isMain ? 1 : 0)).toBe(cycles);
  });
});

it('the commands of a layer are those that its simulator counts in channel 0 of the balanced run', () => {
  const device = dialect('neupims-hbm2');
  const channel = new PimChannel(device, { job: () => undefined, access: () => undefined });
  const file = new URL('../../../../workloads/traces/sharegpt-512-balanced.csv', import.meta.url);
  const lines = readFileSync(file, 'utf8').trim().split('\n').slice(1);
  const lengths = lines.map((line) => line.split(',').map(Number)).filter(([, at]) => at === 0);
  let row = 1000;
  for (const [length = 0] of lengths) {
    const shape = { heads: 8, headSize: 128, length };
    const { keys, values } = attentionRows(device, shape);
    const jobs = attentionJobs(device, { ...shape, keyRow: row, valueRow: row + keys, vectorRow: 0 });
    row += keys + values;
    for (const { program } of [...jobs.logits, ...jobs.context]) channel.pushJob(program, 0);
  }
  while (!channel.isIdle) channel.advance(Number.POSITIVE_INFINITY);
  const sent = Object.fromEntries(device.commands.map(({ name }, i) => [name, channel.commands[i]]));
  expect(sent).toMatchObject({ G_ACT: 7536, GWRITE: 184, COMPS_READRES: 1944, P_HEADER: 942 });
  // The rows of the last tile stay open here; the simulator goes on until a refresh has closed them.
  expect(sent.PIM_PRECHARGE).toBe(30144 - 32);
});

/** A sum as the units make it: products of 16 in a tree, then to what was there, all rounded. */
function dot(a: readonly number[], b: readonly number[]): number {
  let sum = 0;
  for (let at = 0; at < a.length; at += lanes) {
    let terms = Array.from({ length: lanes }, (_, i) =>
      rounded(rounded(a[at + i] ?? 0, 'fp16') * rounded(b[at + i] ?? 0, 'fp16'), 'fp16'),
    );
    while (terms.length > 1) {
      terms = Array.from({ length: terms.length / 2 }, (_, i) => rounded(terms[2 * i]! + terms[2 * i + 1]!, 'fp16'));
    }
    sum = rounded(sum + terms[0]!, 'fp16');
  }
  return sum;
}

/** Runs the jobs of one kind with real numbers: `vectorOf` is what the buffer is filled with, `stored` what rows hold. */
function compute(
  name: string,
  kind: 'logits' | 'context',
  shape: AttentionShape,
  vectorOf: (job: number) => readonly number[],
  stored: (bank: number, row: number) => readonly number[],
) {
  const device = dialect(name);
  const jobs = attentionJobs(device, shape)[kind];
  const results: number[][][] = jobs.map(() => []);
  let job = 0;
  let fetched: number[] = [];
  const memory = new PimValues(
    device,
    { lanes, unit: 3 },
    () => [],
    (_, values) => {
      for (const [bank, value] of values.entries()) fetched[bank] = value;
    },
  );
  const store = (bank: number, row: number, values: readonly number[]) => {
    for (let at = 0; at < inRow; at += lanes) {
      const column = Array.from({ length: lanes }, (_, i) => values[at + i] ?? 0);
      memory.store(bank, row, at / lanes, column);
    }
  };
  const { keys, values } = attentionRows(device, shape);
  const [first, rows] = kind === 'logits' ? [shape.keyRow, keys] : [shape.valueRow, values];
  for (let row = first; row < first + rows; row++) {
    for (let bank = 0; bank < banks; bank++) store(bank, row, stored(bank, row - first));
  }
  const channel = new PimChannel(
    device,
    {
      result: () => {
        results[job]!.push(fetched);
        fetched = [];
      },
      job: () => job++,
      access: () => undefined,
    },
    {
      log: (tick, command, address, multiplications) => {
        if (device.commands[command]!.name === 'GWRITE') store(0, shape.vectorRow, vectorOf(job));
        memory.execute({ ...issued(device, tick, command, address), multiplications });
      },
    },
  );
  for (const { program } of jobs) {
    channel.pushJob(program, 0);
    while (!channel.isIdle) channel.advance(Number.POSITIVE_INFINITY);
  }
  return { jobs, results };
}

const shapes = fc.record({
  heads: fc.integer({ min: 1, max: 3 }),
  queries: fc.integer({ min: 1, max: 2 }),
  headSize: fc.constantFrom(64, 128, 200),
  length: fc.integer({ min: 1, max: 70 }),
  salt: fc.nat(1000),
});
const numberOf = (salt: number, ...at: readonly number[]) =>
  (at.reduce((sum, index) => (sum * 31 + index * 17 + salt) % 1009, 7) - 504) / 504;

describe.each(['newton-hbm2', 'neupims-hbm2'])('%s computes', (name) => {
  it('the logits of every head, whatever its size, and of every query of a head', () => {
    fc.assert(
      fc.property(shapes, ({ salt, ...rest }) => {
        const { heads, queries, headSize, length } = rest;
        const shape = { ...rest, keyRow: 10, valueRow: 500, vectorRow: 3 };
        const key = (head: number, token: number) =>
          Array.from({ length: headSize }, (_, i) => numberOf(salt, head, token, i));
        const query = (head: number) => Array.from({ length: headSize }, (_, i) => numberOf(salt + 1, head, i));
        const wide = Math.ceil(headSize / lanes) * lanes;
        const each = Math.floor(inRow / wide);
        const tiles = Math.ceil(length / banks);
        /** Numbers of heads side by side, each from a column on. */
        const beside = (parts: readonly (readonly number[])[]) =>
          parts.flatMap((part) => [...part, ...Array<number>(wide - part.length).fill(0)]);
        const { jobs, results } = compute(
          name,
          'logits',
          shape,
          (job) => beside(attentionJobs(dialect(name), shape).logits[job]!.heads.map(query)),
          (bank, row) => {
            const first = Math.floor(row / tiles) * each;
            const token = (row % tiles) * banks + bank;
            const own = Array.from({ length: Math.min(each, heads - first) }, (_, i) => first + i);
            return token < length ? beside(own.map((head) => key(head, token))) : [];
          },
        );
        const found = new Map<string, number>();
        jobs.forEach((job, at) => {
          expect(results[at]!.length).toBe(job.results);
          results[at]!.forEach((values, i) => {
            const tile = Math.floor(i / job.heads.length);
            for (const [bank, value] of values.entries()) {
              found.set(`${job.heads[i % job.heads.length]} ${tile * banks + bank}`, value);
            }
          });
        });
        for (let head = 0; head < heads * queries; head++) {
          for (let token = 0; token < length; token++) {
            const expected = dot(key(Math.floor(head / queries), token), query(head));
            expect([head, token, found.get(`${head} ${token}`)]).toEqual([head, token, expected]);
          }
        }
      }),
      { seed, numRuns: 5 },
    );
  }, 60_000);

  it('the context of every head from weights in chunks of a row', () => {
    fc.assert(
      fc.property(shapes, fc.constantFrom(1, 12), ({ salt, ...rest }, longer) => {
        const { queries, headSize } = rest;
        const length = rest.length * longer;
        const shape = { ...rest, length, keyRow: 1000, valueRow: 10, vectorRow: 3 };
        const chunks = Math.ceil(length / inRow);
        const tiles = Math.ceil(headSize / banks);
        const weights = (head: number, chunk: number) =>
          Array.from({ length: Math.min(inRow, length - chunk * inRow) }, (_, i) =>
            numberOf(salt, head, chunk * inRow + i),
          );
        const values = (head: number, chunk: number, element: number) =>
          Array.from({ length: Math.min(inRow, length - chunk * inRow) }, (_, i) =>
            numberOf(salt + 2, head, chunk * inRow + i, element),
          );
        const { jobs, results } = compute(
          name,
          'context',
          shape,
          (job) => weights(Math.floor(job / chunks), job % chunks),
          (bank, row) => {
            const element = (row % tiles) * banks + bank;
            const [head, chunk] = [Math.floor(row / tiles / chunks), Math.floor(row / tiles) % chunks];
            return element < headSize ? values(head, chunk, element) : [];
          },
        );
        jobs.forEach(({ heads: [head = 0] }, at) => {
          const expected = Array.from({ length: headSize }, (_, element) =>
            dot(values(Math.floor(head / queries), at % chunks, element), weights(head, at % chunks)),
          );
          expect(results[at]!.flat().slice(0, headSize)).toEqual(expected);
        });
      }),
      { seed, numRuns: 5 },
    );
  }, 60_000);
});

it('a head that does not fit in a row is refused', () => {
  const shape = { heads: 1, headSize: 600, length: 4, keyRow: 0, valueRow: 9, vectorRow: 0 };
  expect(() => attentionJobs(dialect('newton-hbm2'), shape)).toThrow(
    'a head of 600 numbers does not fit in a row of 512',
  );
});
