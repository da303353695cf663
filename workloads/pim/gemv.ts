/** A matrix times a vector in a channel of a memory that computes, for any dialect whose units add up in trees. */
import { type DramCommand, type DramDevice, needsRow } from '../../arch/language/dram/device.ts';
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
  /** Sums that are fetched for each row of the matrix, for the host to add up. */
  readonly partials: number;
}

type Order = PimCommands['order'];

/**
 * The program, with the commands that `mac` needs. Row n of the matrix is worked on in unit n mod `units`. A unit takes
 * `sums` of its rows together, `operands` chunks of each at a time. Where that sends fewer commands, the vector stays
 * while all rows are multiplied by as much of it as there is room for, and each gets a sum for each such part: `partials`.
 * `isParted` says whether it does.
 *
 * What a unit multiplies lies in the order in which it does, from the first column of the memory's row `firstRow` (0) on. The vector's chunk c is sent at row
 * floor(c / operands), entry c mod operands; sum s of a unit is fetched at row g, sum s, for the g-th `sums` rows of the
 * unit, counted on from part to part.
 * @throws Error when the device has no command `mac`, or cannot fill or fetch its buffers
 */
export function gemv(
  device: DramDevice,
  mac: string,
  shape: {
    readonly rows: number;
    readonly columns: number;
    readonly lanes: number;
    readonly firstRow?: number;
    readonly isParted?: boolean;
  },
): Gemv {
  const moves = movesFor(device, mac);
  const { firstRow = 0 } = shape;
  const { command, fill, clear, fetch } = moves;
  const { level, each = [], pim } = command;
  const { unit = 0, from = '', to = '' } = pim ?? {};
  const sizeOf = (name: string) => device.buffers?.find((buffer) => buffer.name === name)?.entries ?? 0;
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
  /** Units that a move has to name one after the other. */
  const placesOf = (move: DramCommand): Order =>
    spread
      .filter((at) => at <= unit && at <= move.level && !(move.each ?? []).includes(at))
      .map((at) => [device.levels[at]!, count(at)]);
  const [sums, operands] = [sizeOf(to), sizeOf(from)];
  const chunks = Math.ceil(shape.columns / shape.lanes);
  const rounds = Math.ceil(shape.rows / units);
  const parts = Math.ceil(chunks / operands);
  const fetches = rounds * product(placesOf(fetch));
  const { isParted = chunks + parts * fetches <= Math.ceil(rounds / sums) * chunks + fetches } = shape;

  /** Chunks of part p. */
  const lengthOf = (part: number) => Math.min(operands, chunks - part * operands);
  const filled = (part: number): PimStep[] => [
    commands(fill.name, [['entry', lengthOf(part)]], { at: { row: part }, count: lengthOf(part) }),
    barrier(1),
  ];
  const multiplied = (part: number, size: number, first: number, step: number): PimStep[] => {
    const length = lengthOf(part);
    const beside: Order = [
      ['entry', length],
      ['sum', size],
    ];
    return [commands(mac, order, { at: { row: firstRow }, beside, first, step, count: length * size }), barrier(1)];
  };
  const cleared = (size: number): PimStep[] => {
    if (!clear) return [];
    const places = placesOf(clear);
    return [commands(clear.name, [['sum', size], ...places], { count: size * product(places) }), barrier(1)];
  };
  const fetched = (size: number, row: number, isRepeated: boolean): PimStep[] => {
    const places = placesOf(fetch);
    const all = size * product(places);
    const from: Order = [['sum', size], ...places, ['row', device.rows]];
    return [commands(fetch.name, from, { at: { row }, step: isRepeated ? all : 0, count: all }), barrier(1)];
  };
  /** In iteration n, or once, the n-th `size` rows of a unit. */
  const group = (size: number, first: number, isRepeated: boolean): PimStep[] => {
    const inner = Array.from({ length: parts }, (_, part) => [
      ...filled(part),
      ...multiplied(part, size, first * chunks + part * operands * size, isRepeated ? size * chunks : 0),
    ]);
    return [...cleared(size), ...inner.flat(), ...fetched(size, Math.floor(first / sums), isRepeated)];
  };
  const groupOf = (part: number, size: number, first: number, isRepeated: boolean): PimStep[] => {
    const length = lengthOf(part);
    const row = part * Math.ceil(rounds / sums) + Math.floor(first / sums);
    return [
      ...cleared(size),
      ...multiplied(part, size, rounds * operands * part + first * length, isRepeated ? size * length : 0),
      ...fetched(size, row, isRepeated),
    ];
  };
  const full = Math.floor(rounds / sums);
  const rest = rounds - full * sums;
  const over = (make: (size: number, first: number, isRepeated: boolean) => PimStep[]): PimStep[] => [
    ...(full > 0 ? [repeat(full, ...make(sums, 0, true))] : []),
    ...(rest > 0 ? make(rest, full * sums, false) : []),
  ];
  const program = isParted
    ? Array.from({ length: parts }, (_, part) => [
        ...filled(part),
        ...over((size, first, isRepeated) => groupOf(part, size, first, isRepeated)),
      ]).flat()
    : over(group);
  const inRow = device.bursts * chosen.reduce((all, at) => all * count(at), 1);
  const memoryRows = Math.ceil((rounds * chunks) / inRow);
  return { program, units, sums, chunks, operands, memoryRows, partials: isParted ? parts : 1 };
}

function product(order: Order): number {
  return order.reduce((all, [, count]) => all * count, 1);
}

/** A multiplying command, and those that move its operands and its sums; sums are cleared where the host can write them. */
function movesFor(device: DramDevice, mac: string) {
  const command = device.commands.find(({ name, pim }) => name === mac && pim?.kind === 'multiplies');
  const { from = '', to = '' } = command?.pim ?? {};
  const move = (moves: (from: string, to: string) => boolean) =>
    device.commands.find((one) => one.pim?.kind === 'moves' && !needsRow(one) && moves(one.pim.from, one.pim.to));
  const fill = move((source, target) => source === 'host' && target === from);
  const clear = move((source, target) => source === 'host' && target === to);
  const fetch = move((source) => source === to);
  if (command && fill && fetch) return { command, fill, clear, fetch };
  throw new Error(`${device.name} has no ${mac} with buffers that are filled and fetched`);
}
