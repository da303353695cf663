/** A matrix times a vector in a channel of a memory that computes, for any dialect whose units add up in trees. */
import { type DramDevice, needsRow } from '../../arch/language/dram/device.ts';
import { barrier, commands, type PimCommands, type PimProgram, type PimStep, repeat } from '../language/pim-program.ts';

/** How a matrix of `rows` x `columns` lies in a channel, and the program that multiplies it by a vector. */
export interface Gemv {
  readonly program: PimProgram;
  /** Rows of the matrix that are worked on at once, one in each unit, and those that a unit has sums for. */
  readonly units: number;
  readonly sums: number;
  /** Columns of the memory that a row of the matrix takes, and entries of the operands' buffer. */
  readonly chunks: number;
  readonly operands: number;
  /** Rows of the memory that it takes in each bank. */
  readonly memoryRows: number;
}

type Order = PimCommands['order'];

/**
 * The program, with the commands that `mac` needs. Row n of the matrix is worked on in unit n mod `units`. A unit takes
 * `sums` of its rows together, `operands` chunks of each at a time, and what it multiplies lies in this order, from the
 * first column of the memory's row `firstRow` (0) on. The vector's chunk c is sent at row floor(c / operands), entry c mod operands; sum s of a unit is
 * fetched at row g, sum s, for the g-th `sums` rows of the unit.
 * @throws Error when the device has no command `mac`, or cannot fill or fetch its buffers
 */
export function gemv(
  device: DramDevice,
  mac: string,
  shape: { readonly rows: number; readonly columns: number; readonly lanes: number; readonly firstRow?: number },
): Gemv {
  const command = device.commands.find(({ name, pim }) => name === mac && pim?.kind === 'multiplies');
  const { from = '', to = '', unit = 0 } = command?.pim ?? {};
  const move = (moves: (from: string, to: string) => boolean) =>
    device.commands.find((one) => one.pim?.kind === 'moves' && !needsRow(one) && moves(one.pim.from, one.pim.to));
  const fill = move((source, target) => source === 'host' && target === from);
  const fetch = move((source) => source === to);
  const sizeOf = (name: string) => device.buffers?.find((buffer) => buffer.name === name)?.entries ?? 0;
  if (!command || !fill || !fetch)
    throw new Error(`${device.name} has no ${mac} with buffers that are filled and fetched`);
  const { level, each = [] } = command;
  const { firstRow = 0 } = shape;
  const count = (below: number) => device.counts[below]!;
  /** Levels that have a unit at each node, and those whose nodes a unit chooses from. */
  const spread = device.levels.flatMap((_, at) => (at > level || each.includes(at) ? [at] : []));
  const chosen = device.levels.flatMap((_, at) =>
    at > 0 && !spread.includes(at) && level === device.levels.length - 1 ? [at] : [],
  );
  const order: Order = [
    ['column', device.bursts],
    ...chosen.map((at): [string, number] => [device.levels[at]!, count(at)]),
    ['row', device.rows],
  ];
  const units = device.counts.slice(0, unit + 1).reduce((all, n) => all * n, 1);
  const places = spread.filter((at) => at <= unit).map((at): [string, number] => [device.levels[at]!, count(at)]);
  const [sums, operands] = [sizeOf(to), sizeOf(from)];
  const chunks = Math.ceil(shape.columns / shape.lanes);
  const rounds = Math.ceil(shape.rows / units);

  const group = (size: number, first: number, step: number): PimStep[] => {
    const passes = Array.from({ length: Math.ceil(chunks / operands) }, (_, pass) => {
      const length = Math.min(operands, chunks - pass * operands);
      const beside: Order = [
        ['entry', length],
        ['sum', size],
      ];
      return [
        commands(fill.name, [['entry', length]], { at: { row: pass }, count: length }),
        barrier(1),
        commands(mac, order, {
          at: { row: firstRow },
          beside,
          first: first * chunks + pass * operands * size,
          step: step * chunks,
          count: length * size,
        }),
        barrier(1),
      ];
    });
    const fetched = size * units;
    const row = Math.floor(first / sums);
    const from: Order = [['sum', size], ...places, ['row', device.rows]];
    return [
      ...passes.flat(),
      commands(fetch.name, from, { at: { row }, step: step > 0 ? fetched : 0, count: fetched }),
      barrier(1),
    ];
  };
  const full = Math.floor(rounds / sums);
  const rest = rounds - full * sums;
  const program = [
    ...(full > 0 ? [repeat(full, ...group(sums, 0, sums))] : []),
    ...(rest > 0 ? group(rest, full * sums, 0) : []),
  ];
  const inRow = device.bursts * chosen.reduce((all, at) => all * count(at), 1);
  return { program, units, sums, chunks, operands, memoryRows: Math.ceil((rounds * chunks) / inRow) };
}
