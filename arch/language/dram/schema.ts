/** What the file of a DRAM standard may say, but for what stands inside its tables: that `rows.ts` reads. */
import { z } from 'zod';
import { count, dtype, parsed, power, size } from '../quantities.ts';
import { parseDuration, UnitError } from '../units.ts';

const expression = z
  .union([z.string(), z.number()])
  .transform(String)
  .meta({ examples: ['nCL + nBL'] });

export type WrittenTiming = string | { readonly [selector: string]: WrittenTiming };

const timing: z.ZodType<WrittenTiming> = z
  .lazy(() => z.union([expression, z.record(z.string(), timing)]))
  .meta({
    id: 'timing',
    description: 'Clock cycles, a time, an expression; or these by organisation, density, data pins or rate',
    examples: [16, '7800 ns', 'nREFI / banks', '{ x4: 16, x8: 20 }'],
  });

const amount = z.number().nonnegative();
const milliamperes = amount.optional().describe('mA of one chip');

const currents = z.strictObject({
  VDD: amount.describe('V'),
  IDD0: amount.describe('mA of one chip: one bank opens and closes'),
  IDD2N: amount.describe('mA of one chip: all banks closed'),
  IDD3N: amount.describe('mA of one chip: banks open'),
  IDD4R: amount.describe('mA of one chip: reads without a gap'),
  IDD4W: amount.describe('mA of one chip: writes without a gap'),
  IDD5AB: amount.describe('mA of one chip: refresh of all banks'),
  IDD5PB: milliamperes,
  IDD2P: milliamperes,
  IDD3P: milliamperes,
  IDD6: milliamperes,
});

const speed = z
  .object({
    rate: count.describe('Millions of transfers on a data pin in a second').meta({ examples: [2400] }),
    tCK: parsed(z.union([z.string(), z.number()]), positive, ['833 ps']).describe('A clock cycle'),
  })
  .catchall(timing)
  .describe('A speed grade: its rate, its clock and its timing parameters, nRCD and so on, in clock cycles');

const organisation = z
  .object({
    density: z
      .string()
      .describe('Of one chip')
      .meta({ examples: ['8Gb'] }),
    dq: count.describe('Data pins of one chip').meta({ examples: [8] }),
    width: count.optional().describe('Bits of a data bus, where it is not the width of the standard'),
    rows: count.describe('Rows of a bank').meta({ examples: ['64 Ki'] }),
    columns: count.describe('Columns of a row').meta({ examples: ['1 Ki'] }),
  })
  .catchall(count)
  .describe('A chip and how many nodes each level has: `bankGroups: 4, banks: 4`');

function positive(text: string | number): number {
  const ps = parseDuration(text);
  if (ps === 0) throw new UnitError(`"${text}" is zero`, 'cannot be');
  return ps;
}

const perBank = z.union([
  expression,
  z.strictObject({
    every: expression.describe('From one refresh of a bank to the next'),
    lockstep: z.string().describe('Level whose nodes refresh the same bank together: pseudoChannel'),
    gap: expression.describe('From a set of banks to the next'),
  }),
]);

/** Keys of a standard's file. */
export const standardShape = {
  standard: z
    .string()
    .describe('Name of the standard')
    .meta({ examples: ['DDR4'] }),
  about: z.string().default('').describe('What it is, in a sentence'),
  source: z.string().default('').describe('Where its numbers come from'),
  extends: z.string().optional().describe('A standard whose keys and rows this one takes over: lpddr5'),
  levels: z
    .array(z.string())
    .describe('From the channel to the bank, then row and column')
    .meta({ examples: ['[channel, rank, bankGroup, bank, row, column]'] }),
  prefetch: count.describe('Columns of one access').meta({ examples: [8] }),
  width: count.describe('Bits of the data bus of a channel, or of a pseudo-channel').meta({ examples: [64] }),
  payload: size.optional().describe('Bytes of one access, where they are not prefetch x width'),
  buses: z
    .union([z.literal(1), z.literal(2)])
    .default(1)
    .describe('2: row and column commands have a bus each'),
  ticks: z
    .union([z.literal(1), z.literal(2)])
    .default(1)
    .describe('2: commands may start on either edge of a cycle'),
  commands: z
    .string()
    .describe('A row for each: name, bus (row or column), clock cycles on it where more than 1, what it does')
    .meta({ examples: ['ACT row opens bank'] }),
  'read latency': expression.describe('From a read to the end of its data'),
  'write latency': expression.describe('From a write to the end of its data'),
  'result latency': expression
    .optional()
    .describe('From a command that moves something to the host until that is there; by default as of a read'),
  refresh: z
    .strictObject({
      'all-bank': expression.optional().describe('Interval of refreshes of all banks'),
      staggered: z
        .boolean()
        .optional()
        .describe('Whether the nodes whose banks are refreshed together have their turns spread over the interval'),
      'per-bank': perBank.optional().describe('Interval of refreshes of one bank'),
    })
    .default({})
    .describe('Intervals of the refresh commands'),
  'activation deadline': expression.optional().describe('Within which the second activating command follows the first'),
  'data clock': z
    .strictObject({
      reads: expression.describe('How long it goes on after a read starts'),
      writes: expression.describe('How long it goes on after a write starts'),
      guard: count.default(1).describe('Clock cycles before the deadline of an activation in which no sync is sent'),
    })
    .optional()
    .describe('A data clock that stops and has to be synchronised'),
  constraints: z
    .string()
    .describe('A row for each: level, commands -> commands, latency, then `window N` or `sibling`')
    .meta({ examples: ['rank ACT -> ACT nFAW window 4'] }),
  without: z.string().default('').describe('Rows of the extended standard that do not hold here'),
  timings: z.record(z.string(), timing).default({}).describe('Timing parameters that speeds do not give'),
  organisations: z
    .record(z.string(), organisation)
    .describe('Chips by name; the first is the usual one')
    .meta({ examples: ['{ X: { density: 8Gb, dq: 8, bankGroups: 4, banks: 4, rows: 64 Ki, columns: 1 Ki } }'] }),
  speeds: z
    .record(z.string(), speed)
    .describe('Speed grades by name; the first is the usual one')
    .meta({ examples: ['{ X: { rate: 2400, tCK: 833 ps, nRCD: 16 } }'] }),
  units: z
    .strictObject({
      type: dtype.describe('Type of the operands'),
      sums: dtype.describe('Type of products and sums'),
      adds: z
        .enum(['tree', 'lanes'])
        .describe('tree: the products of a column are added up; lanes: each has a sum of its own'),
      lanes: count.optional().describe('Numbers of a column that commands multiply, where it is not an access'),
      vectors: count
        .default(1)
        .describe('Vectors that a column is multiplied by at once: entries of operands, and sums, are of all of them'),
    })
    .optional()
    .describe('What multiplies in the memory'),
  buffers: z
    .record(
      z.string(),
      z.strictObject({
        of: z.string().default('unit').describe('Level each node of which has one; unit: each unit has one'),
        entries: count.describe('Entries of one column each'),
        column: z
          .number()
          .int()
          .nonnegative()
          .optional()
          .describe('Of registers: the column at which the first entry is'),
      }),
    )
    .default({})
    .describe('What commands multiply by, add to and move'),
  'row buffers': z
    .array(z.string())
    .default([])
    .describe('Row buffers of a bank besides the ordinary one, for rows that commands open, close and need `in` them')
    .meta({ examples: ['[pim]'] }),
  estimates: z
    .string()
    .default('')
    .describe('A row for each command that begins work which has to end before the next refresh: how long it takes')
    .meta({ examples: ['P_HEADER nFAW * opens + nRCDRD + 2 * multiplications'] }),
  energies: z
    .record(z.string(), z.union([z.string(), z.number()]).transform(String))
    .default({})
    .describe('Of one command each, or of a part that others name; before what currents say')
    .meta({ examples: ['{ ACT: 828 pJ, G_ACT: 4 ACT, cell: 0.55 pJ/bit, MAC: cell + 0.32 pJ/multiplication }'] }),
  background: z
    .strictObject({
      active: power.describe('With a row open'),
      precharged: power.describe('With all rows closed'),
    })
    .optional()
    .describe('Power of a rank, or of what else an all-bank refresh acts on; before what currents say'),
  modes: z
    .string()
    .default('')
    .describe('Rows of two kinds: commands that go in a mode, and what leads from one mode to another')
    .meta({ examples: ['SB -> HAB ACT of row 6143 at banks 0 1'] }),
  currents: z.record(z.string(), currents).default({}).describe('By organisation and rate: `DDR4_8Gb_x8 2400`'),
};

export const standardSchema = z.strictObject(standardShape);

export type WrittenStandard = z.output<typeof standardSchema>;
