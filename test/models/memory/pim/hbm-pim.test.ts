import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../../../arch/language/diagnostics.ts';
import type { DramDevice } from '../../../../arch/language/dram/device.ts';
import { type PimRunOptions, runPhases, runPim } from '../../../../models/memory/pim/run.ts';
import { commands, type PimProgram } from '../../../../workloads/language/pim-program.ts';
import {
  elementwiseInstructions,
  elementwiseTiles,
  gemvColumn,
  gemvInstructions,
  gemvResultColumn,
  gemvTiles,
  type HbmPimElementwise,
  type HbmPimGemv,
  hbmPimElementwise,
  hbmPimGemv,
  traffic,
  withoutPim,
} from '../../../../workloads/pim/hbm-pim.ts';
import { encode, type Instruction } from '../../../../workloads/pim/hbm-pim-instruction.ts';
import { checkCommands } from '../../../reference/dram-checker.ts';
import { PimValues, rounded } from '../../../reference/pim-values.ts';
import { dialect, sentBy } from './runs.ts';

const seed = Number(process.env.SEED ?? 20261121);
const tool = dialect('hbm-pim-pimsimulator');
const corrected = dialect('hbm-pim');
const controller: PimRunOptions = { handsOut: 'by channel', intake: 1, queue: 64, scheduler: 'hits-first' };
const asTool: PimRunOptions = { ...controller, postpones: true, channels: 64 };

describe('with the tables of its simulator, HBM-PIM takes the cycles recorded with that simulator:', () => {
  it.each([
    ['gemv', { m: 4096, n: 4096 }, 13166, 36082],
    ['mul', { kernel: 'mul', n: 2 ** 21 }, 5926, 13255],
    ['add', { kernel: 'add', n: 2 ** 20 }, 3349, 6651],
    ['relu', { kernel: 'relu', n: 2 ** 22 }, 7665, 17504],
  ] as const)('%s %j, with PIM and without', (_, shape, pim, without) => {
    const program = 'kernel' in shape ? hbmPimElementwise(shape) : hbmPimGemv(shape);
    expect(runPim(tool, program, asTool).finished).toBe(pim);
    expect(runPhases(tool, withoutPim(shape), asTool).finished).toBe(without);
  });

  it.each([
    ['read', 2 ** 23, 231],
    ['write', 2 ** 24, 243],
  ] as const)('%s of %i bytes in 16 channels, in GB/s', (access, bytes, bandwidth) => {
    const device = dialect('hbm-pim-pimsimulator', undefined, 'HBM-PIM_2Gb');
    const { finished } = runPim(device, traffic([{ access, from: 0, bytes }], 16), { ...asTool, channels: 16 });
    expect(Math.floor(bytes / finished)).toBe(bandwidth);
  });
});

it('channels that get the same are run once, others on their own', () => {
  const run = (n: number) => {
    const logged = Array<number>(64).fill(0);
    const log = (channel: number) => () => void logged[channel]!++;
    const result = runPhases(tool, withoutPim({ kernel: 'relu', n }), { ...asTool, log });
    expect(logged).toEqual(result.channels.map(({ sent }) => sent.reduce((all, count) => all + count, 0)));
    // Channels that are run once are one and the same.
    const firsts = result.channels.map((channel) => result.channels.indexOf(channel));
    return { firsts: [...new Set(firsts)], ...result };
  };
  const even = run(2 ** 17);
  expect(even.firsts).toEqual([0]);
  expect(even.commands).toMatchObject({ RD: 2 ** 13, WR: 2 ** 13 });
  // 8 accesses more: of each vector 8 channels get one more, the writes from channel 8 on.
  const uneven = run(2 ** 17 + 128);
  expect(uneven.firsts).toEqual([0, 8, 16]);
  expect(uneven.commands).toMatchObject({ RD: 2 ** 13 + 8, WR: 2 ** 13 + 8 });
  const inOrder = runPhases(tool, withoutPim({ kernel: 'relu', n: 2 ** 17 }), {
    ...asTool,
    handsOut: 'in order',
    intake: 64,
  });
  expect(inOrder.finished).toBe(even.finished);
});

/** One channel with numbers: the registers' contents come in the order in which they are sent. */
function memory(
  device: DramDevice,
  program: readonly Instruction[],
  inputs: readonly (readonly number[])[],
): PimValues {
  const words = program.map(encode);
  let next = 0;
  return new PimValues(
    device,
    { lanes: 16, unit: device.levels.indexOf('block') },
    ({ column }) => {
      if (column < 8) return Array.from({ length: 8 }, (_, i) => words[8 * (column - 4) + i] ?? 0);
      return inputs[next++ % inputs.length]!;
    },
    () => {},
  );
}

const half = (value: number) => rounded(value, 'fp16');
const numbers = fc.array(
  fc.integer({ min: -1000, max: 1000 }).map((n) => half(n / 500)),
  { minLength: 97, maxLength: 97 },
);

const ways: [string, DramDevice, PimRunOptions][] = [
  ['its simulator', tool, { ...controller, postpones: true }],
  ['hits first', corrected, controller],
  ['the oldest first', corrected, {}],
];

describe.each(ways)('scheduled as by %s', (_, device, options) => {
  it('a matrix times a vector is that, lane by lane, rounded as the units round', () => {
    fc.assert(
      fc.property(numbers, fc.integer({ min: 1, max: 80 }), fc.integer({ min: 1, max: 300 }), (pool, m, n) => {
        const shape: HbmPimGemv = { m, n, channels: 1 };
        const { outputs, inputs } = gemvTiles(shape);
        const weight = (o: number, i: number) => (o < m && i < n ? pool[(o * 31 + i * 7 + o * i) % 97]! : 0);
        const input = (i: number) => (i < n ? pool[(i * 13) % 97]! : 0);
        const columnOf = (chunk: number) => Array.from({ length: 16 }, (_, lane) => input(16 * chunk + lane));
        const order = Array.from({ length: inputs }, (_, i) => i).sort((a, b) => (a % 2) - (b % 2) || a - b);
        const values = memory(
          device,
          gemvInstructions(shape),
          order.flatMap((tile) => Array.from({ length: 8 }, (_, i) => columnOf(8 * tile + i))),
        );
        const place = (o: number) => ({ tile: Math.floor(o / 64), unit: Math.floor(o / 8) % 8, register: o % 8 });
        for (let o = 0; o < 64 * outputs; o++) {
          const { tile, unit, register } = place(o);
          for (let chunk = 0; chunk < 8 * inputs; chunk++) {
            const at = gemvColumn(shape, tile, Math.floor(chunk / 8)) + 8 * (chunk % 8) + register;
            const bank = 2 * unit + (Math.floor(chunk / 8) % 2);
            const lanes = Array.from({ length: 16 }, (_, lane) => weight(o, 16 * chunk + lane));
            values.store(bank, Math.floor(at / 32), at % 32, lanes);
          }
        }
        const [sent] = sentBy(device, hbmPimGemv(shape), options);
        for (const command of sent) values.execute(command);
        for (let o = 0; o < m; o++) {
          const { tile, unit, register } = place(o);
          const at = gemvResultColumn(shape, tile) + register;
          const expected = Array.from({ length: 16 }, (_, lane) =>
            order
              .flatMap((t) => Array.from({ length: 8 }, (_, i) => 16 * (8 * t + i) + lane))
              .reduce((sum, i) => half(sum + half(weight(o, i) * input(i))), 0),
          );
          const result = values.load(2 * unit + 1, Math.floor(at / 32), at % 32);
          expect(result).toEqual(expected);
          const exact = Array.from({ length: n }, (_, i) => weight(o, i) * input(i)).reduce((a, b) => a + b, 0);
          expect(Math.abs(result.reduce((a, b) => a + b, 0) - exact)).toBeLessThan(0.01 * n);
        }
      }),
      { seed, numRuns: 3 },
    );
  }, 30_000);

  it.each(['add', 'mul', 'relu'] as const)(
    '%s of vectors is that',
    (kernel) => {
      fc.assert(
        fc.property(numbers, fc.integer({ min: 1, max: 5000 }), (pool, n) => {
          const shape: HbmPimElementwise = { kernel, n, channels: 1 };
          const values = memory(device, elementwiseInstructions(shape), []);
          const of = (operand: number, i: number) => (i < n ? pool[(i * (7 + 6 * operand)) % 97]! : 0);
          const places = Array.from({ length: 128 * elementwiseTiles(shape) }, (_, access) => ({
            first: 16 * access,
            bank: (Math.floor(access / 4) % 4) * 4 + (access % 4),
            column: Math.floor(access / 16) % 32,
            row: Math.floor(access / 512),
          }));
          const lanes = (f: (i: number) => number, first: number) =>
            Array.from({ length: 16 }, (_, lane) => f(first + lane));
          for (const { first, bank, row, column } of places) {
            values.store(
              bank,
              row,
              column,
              lanes((i) => of(0, i), first),
            );
            values.store(
              bank,
              128 + row,
              column,
              lanes((i) => of(1, i), first),
            );
          }
          const [sent] = sentBy(device, hbmPimElementwise(shape), options);
          for (const command of sent) values.execute(command);
          const expected = {
            add: (i: number) => half(of(0, i) + of(1, i)),
            mul: (i: number) => half(of(0, i) * of(1, i)),
            relu: (i: number) => Math.max(0, of(0, i)),
          }[kernel];
          for (const { first, bank, row, column } of places) {
            expect(values.load(bank, 256 + row, column).map((x) => x + 0)).toEqual(
              lanes((i) => expected(i) + 0, first),
            );
          }
        }),
        { seed, numRuns: 2 },
      );
    },
    30_000,
  );

  it.each([
    ['gemv', hbmPimGemv({ m: 100, n: 300, channels: 1 })],
    ['add', hbmPimElementwise({ kernel: 'add', n: 5000, channels: 1 })],
    ['mul', hbmPimElementwise({ kernel: 'mul', n: 4000, channels: 1 })],
    ['relu', hbmPimElementwise({ kernel: 'relu', n: 7000, channels: 1 })],
  ])('no command of %s breaks a rule, refreshes included', (_, program) => {
    const { allBank } = device.refresh;
    const often = { ...device, refresh: { ...device.refresh, allBank: allBank && { ...allBank, interval: 900 } } };
    const [sent, { commands: counts }] = sentBy(often, program, options);
    expect(counts.REFab).toBeGreaterThan(0);
    expect(checkCommands(often, sent)).toEqual([]);
  });
});

describe('a command outside its mode', () => {
  const at = { row: 0, bank: 0 };
  const on = hbmPimElementwise({ kernel: 'relu', n: 2048, channels: 1 });
  const wrong = (program: PimProgram, options: PimRunOptions = {}) => {
    try {
      runPim(corrected, program, options);
    } catch (error) {
      if (error instanceof InputError) return error.message;
      throw error;
    }
    return 'no mistake';
  };

  it.each([controller, {}])('is an error that says in which mode it goes', (options) => {
    expect(wrong([commands('RDH', [['column', 8]], { at, count: 8 })], options)).toBe(
      'RDH does not go in mode SB of HBM-PIM/HBM-PIM_2Gb/HBM-PIM_2000Mbps; send what leads to HAB_PIM before it',
    );
    const withoutSwitch = on.filter((step) => step.kind !== 'commands' || step.command !== 'WON');
    expect(wrong(withoutSwitch, options)).toContain('RDH does not go in mode HAB of');
    const off = on.findIndex((step) => step.kind === 'commands' && step.command === 'WOFF') + 2;
    const read = commands('RD', [], { at, count: 1 });
    expect(wrong([...on.slice(0, off), read], options)).toContain('RD does not go in mode HAB of');
    expect(wrong(on, options)).toBe('no mistake');
  });
});

describe('the checker', () => {
  const broken = (...sent: readonly (readonly [string, number, number, number])[]) =>
    checkCommands(
      corrected,
      sent.map(([name, tick, bank, row]) => {
        const command = corrected.commands.findIndex((one) => one.name === name);
        return { tick, command, path: [0, 0, Math.floor(bank / 4), Math.floor(bank / 2) % 2, bank % 2], row };
      }),
    ).map(({ index, rule }) => `${index}: ${rule}`);
  const entered = [0, 1, 8, 9].map((bank, i) => ['ACT', 100 * i, bank, 0x17ff] as const);
  const closed = [0, 1, 8, 9].map((bank, i) => ['PREpb', 400 + i, bank, 0] as const);

  it('knows modes', () => {
    expect(broken(['RDH', 0, 0, 0])).toContain('0: RDH does not go in SB');
    expect(broken(...entered.slice(0, 3), ...closed.slice(0, 3), ['ACTH', 500, 0, 3])).toContain(
      '6: ACTH does not go in SB',
    );
    expect(broken(...entered, ...closed, ['ACTH', 500, 0, 3])).toEqual([]);
    expect(broken(...entered, ...closed, ['ACT', 500, 2, 3])).toEqual(['8: ACT does not go in HAB']);
  });

  it('wants rows that were opened together to be closed together', () => {
    const open = [...entered, ...closed, ['ACTH', 500, 0, 3]] as const;
    expect(broken(...open, ['PREH', 600, 4, 0])).toEqual([]);
    expect(broken(...open, ['PREpb', 600, 4, 0])).toContain('9: rows opened together are closed together');
  });

  it('counts the opening of many rows once among four', () => {
    const sent = [0, 1, 0].flatMap(
      (bank, i) =>
        [
          ['ACTH', 500 + 60 * i, bank, 3],
          ['PREH', 540 + 60 * i, bank, 0],
        ] as const,
    );
    expect(broken(...entered, ...closed, ...sent)).toEqual([]);
    expect(broken(...entered, ...closed, ['ACTH', 500, 0, 3], ['ACTH', 505, 1, 3])).toEqual([
      '9: pseudoChannel ACTH -> ACT ACTH nRRDL',
    ]);
  });
});
