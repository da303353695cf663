/**
 * Kernels on HBM-PIM as its simulator's host sends them: SAITPublic/PIMSimulator commit b464dde, src/tests/PIMKernel.cpp and
 * PIMCmdGen.h, and the same work without PIM as in PIMBenchTestCases.h.
 *
 * All channels do the same on other data. A unit has 8 registers GRF_A and 8 GRF_B, of 16 lanes each. A tile is what they
 * hold at once: of a matrix, 8 outputs of each unit by 8 columns of 16 inputs; of vectors, 8 columns of each bank.
 */
import { InputError } from '../../arch/language/diagnostics.ts';
import { barrier, commands, type PimCommands, type PimProgram, type PimStep } from '../language/pim-program.ts';
import type { Instruction, Place } from './hbm-pim-instruction.ts';

export interface HbmPimGemv {
  /** Outputs, and inputs. */
  readonly m: number;
  readonly n: number;
  readonly channels?: number;
}

export interface HbmPimElementwise {
  readonly kernel: 'add' | 'mul' | 'relu';
  /** Elements. */
  readonly n: number;
  readonly channels?: number;
  /** As its tool has it: elements beyond whole tiles are left out. */
  readonly leavesRest?: boolean;
}

const lanes = 16;
const registers = 8;
const units = 8;
const banks = 16;
const columns = 32;
const instructionsInColumn = 8;
/** Rows of registers: to park banks in, to change modes with, and those of the units. */
const [parking, toAllBanks, toSingleBank, unitRegisters] = [0x1000, 0x17ff, 0x1fff, 0x3fff];
const modeColumn = 0x1f;
/** Columns of a row of registers. */
const [crf, grfA] = [4, 8];
/** Rows of the first operand, the second and the result of elementwise kernels. */
const operandRows = [0, 128, 256] as const;

type Fields = { readonly [field: string]: number };
type Order = PimCommands['order'];

/** Commands for every channel. */
class Channels {
  readonly #count: number;

  constructor(count: number) {
    this.#count = count;
  }

  send(command: string, order: Order, at: Fields): PimStep {
    const count = order.reduce((all, [, n]) => all * n, this.#count);
    return commands(command, [['channel', this.#count], ...order], { at, count });
  }

  /** Columns one after the other from one on, across rows, and a barrier. */
  columns(command: string, bank: number, row: number, first: number, count: number): PimStep[] {
    const from = { column: first % columns, row: row + Math.floor(first / columns) };
    const here = Math.min(count, columns - from.column);
    return [
      this.send(command, [['column', here]], { ...from, bank }),
      ...(here < count ? [this.send(command, [['column', count - here]], { row: from.row + 1, bank })] : []),
      this.barrier,
    ];
  }

  get barrier(): PimStep {
    return barrier(this.#count);
  }

  /** A read of every bank, which leaves no row of cells open. */
  get park(): PimStep[] {
    const order: Order = [
      ['bankGroup', 4],
      ['bank', 2],
      ['block', 2],
    ];
    return [this.send('RD', order, { row: parking }), this.barrier];
  }

  /** From all banks on their own to an instruction file that is loaded. */
  begin(program: readonly Instruction[]): PimStep[] {
    const at = { row: toAllBanks, column: modeColumn };
    const order: Order = [['bank', 2]];
    return [
      ...this.park,
      this.send('WMRS', order, at),
      this.send('WMRS', order, { ...at, bankGroup: 2 }),
      this.barrier,
      this.send('WCRF', [['column', Math.ceil(program.length / instructionsInColumn)]], {
        row: unitRegisters,
        column: crf,
        bank: 1,
      }),
      this.barrier,
    ];
  }

  /** `WON`, `WONZ` or `WOFF`. */
  switch(command: string): PimStep[] {
    return [this.send(command, [], { row: unitRegisters }), this.barrier];
  }

  get end(): PimStep[] {
    return [this.send('WMRS', [['bank', 2]], { row: toSingleBank, column: modeColumn }), this.barrier, ...this.park];
  }
}

/** Tiles of a product, and what its units execute. */
export function gemvTiles({ m, n, channels = 64 }: HbmPimGemv): { readonly outputs: number; readonly inputs: number } {
  return {
    outputs: Math.ceil(m / (units * channels * registers)),
    inputs: Math.ceil(Math.ceil(n / lanes) / registers),
  };
}

/** Multiplications of the even banks, of the odd ones, and results that are written. */
export function gemvInstructions(shape: HbmPimGemv): Instruction[] {
  const { inputs } = gemvTiles(shape);
  const multiply = (bank: Place, tiles: number): Instruction[] => {
    const groups = tiles * registers;
    const mac: Instruction = { operation: 'MAC', to: 'GRF_B', from: ['GRF_A', bank], auto: true };
    return tiles === 0 ? [] : [mac, { operation: 'JUMP', times: groups - 1, back: 2 }];
  };
  return [
    ...multiply('EVEN_BANK', Math.ceil(inputs / 2)),
    ...multiply('ODD_BANK', Math.floor(inputs / 2)),
    { operation: 'NOP', times: registers },
    { operation: 'EXIT' },
  ];
}

/** First column, counted through the rows, of a tile in the banks of its parity, and of the results in odd banks. */
export function gemvColumn(shape: HbmPimGemv, output: number, input: number): number {
  const { inputs } = gemvTiles(shape);
  const tile = Math.floor(input / 2) + Math.floor((output * inputs) / 2);
  return tile * registers * registers;
}

export function gemvResultColumn(shape: HbmPimGemv, output: number): number {
  const { outputs, inputs } = gemvTiles(shape);
  return Math.floor((outputs * inputs) / 2) * registers * registers + output * registers;
}

/** A matrix times a vector. Of every output, 16 partial sums are left for the host to add up. */
export function hbmPimGemv(shape: HbmPimGemv): PimProgram {
  const all = new Channels(shape.channels ?? 64);
  const { outputs, inputs } = gemvTiles(shape);
  const tile = (output: number, input: number): PimStep[] => {
    const first = gemvColumn(shape, output, input);
    return [
      all.send('WGRA', [['column', registers]], { row: unitRegisters, column: grfA, bank: 1 }),
      all.barrier,
      ...Array.from({ length: registers }, (_, group) =>
        all.columns('RDH', input % 2, 0, first + group * registers, registers),
      ).flat(),
    ];
  };
  const every = Array.from({ length: inputs }, (_, input) => input);
  const order = [...every.filter((input) => input % 2 === 0), ...every.filter((input) => input % 2 === 1)];
  return [
    ...all.begin(gemvInstructions(shape)),
    ...Array.from({ length: outputs }, (_, output) => [
      ...all.switch('WONZ'),
      ...order.flatMap((input) => tile(output, input)),
      ...all.columns('WRH', 1, 0, gemvResultColumn(shape, output), registers),
      ...all.switch('WOFF'),
    ]).flat(),
    ...all.end,
  ];
}

/** Tiles of an elementwise kernel. @throws InputError when the operands do not fit between each other */
export function elementwiseTiles({ n, channels = 64, leavesRest = false }: HbmPimElementwise): number {
  const tiles = Math.ceil(n / lanes) / (banks * channels * registers);
  const whole = leavesRest ? Math.floor(tiles) : Math.ceil(tiles);
  const most = (operandRows[1] * columns) / registers;
  if (whole <= most) return whole;
  const elements = most * lanes * banks * channels * registers;
  throw new InputError({ message: `${n} elements do not fit`, hint: `there is room for ${elements}` });
}

/** Instructions of a tile in even banks, then in odd ones, as often as there are tiles. */
export function elementwiseInstructions(shape: HbmPimElementwise): Instruction[] {
  const { kernel } = shape;
  const half = (register: Place, bank: Place): Instruction[] => {
    const fill: Instruction = { operation: 'FILL', to: register, from: bank, relu: kernel === 'relu' };
    const store: Instruction = { operation: 'NOP', times: registers };
    if (kernel === 'relu') return [fill, store];
    const operation = kernel === 'add' ? 'ADD' : 'MUL';
    return [fill, { operation, to: register, from: [register, bank], auto: true }, store];
  };
  const tile = [...half('GRF_A', 'EVEN_BANK'), ...half('GRF_B', 'ODD_BANK')];
  const again = elementwiseTiles(shape) - 1;
  const jump: Instruction[] = again > 0 ? [{ operation: 'JUMP', times: again, back: tile.length + 1 }] : [];
  return [...tile, ...jump, { operation: 'EXIT' }];
}

/** Sums, products or rectified values of vectors whose columns lie across channels and banks, row after row. */
export function hbmPimElementwise(shape: HbmPimElementwise): PimProgram {
  const all = new Channels(shape.channels ?? 64);
  const reads = operandRows.slice(0, shape.kernel === 'relu' ? 1 : 2);
  const half = (bank: number, first: number): PimStep[] => [
    ...reads.flatMap((row) => all.columns('RDH', bank, row, first, registers)),
    ...all.columns('WRH', bank, operandRows[2], first, registers),
  ];
  return [
    ...all.begin(elementwiseInstructions(shape)),
    ...all.switch('WON'),
    ...Array.from({ length: elementwiseTiles(shape) }, (_, tile) =>
      [0, 1].flatMap((bank) => half(bank, tile * registers)),
    ).flat(),
    ...all.switch('WOFF'),
    ...all.end,
  ];
}

/** A run of bytes, one access after the other, from the first or a later byte of a memory on. */
export interface Traffic {
  readonly access: 'read' | 'write';
  readonly from: number;
  readonly bytes: number;
}

const accessBytes = 32;

/** Runs of bytes, spread over channels, then banks and bank groups, then columns of a row. */
export function traffic(runs: readonly Traffic[], channels = 64): PimProgram {
  const order: Order = [
    ['channel', channels],
    ['bank', 2],
    ['block', 2],
    ['bankGroup', 4],
    ['column', columns],
    ['row', 16384],
  ];
  return runs.map(({ access, from, bytes }) =>
    commands(access === 'read' ? 'RD' : 'WR', order, {
      first: Math.ceil(from / accessBytes),
      count: Math.ceil(bytes / accessBytes),
    }),
  );
}

const elementBytes = 2;

/** The same work without PIM: what a host reads, and then, when that has come, what it writes. */
export function withoutPim(shape: HbmPimGemv | HbmPimElementwise): PimProgram[] {
  const { n, channels = 64 } = shape;
  const inputs = 'kernel' in shape ? (shape.kernel === 'relu' ? [n] : [n, n]) : [shape.m * n, n];
  const outputs = 'kernel' in shape ? n : shape.m;
  const read = inputs.reduce((all, elements) => all + elements * elementBytes, 0);
  return [
    traffic([{ access: 'read', from: 0, bytes: read }], channels),
    traffic([{ access: 'write', from: read, bytes: outputs * elementBytes }], channels),
  ];
}
