/**
 * What units execute that take an instruction with every column command, in real numbers: SAITPublic/PIMSimulator commit
 * b464dde, src/PIMRank.cpp. A register file is 8 registers of a column each.
 */
import { decode, type Instruction, type Operand } from '../../workloads/pim/hbm-pim-instruction.ts';
import { rounded } from './pim-values.ts';

type Lanes = readonly number[];

/** Which instruction comes with the next command. */
export class InstructionFile {
  readonly #words: number[] = Array<number>(32).fill(0);
  readonly #jumps = new Map<number, number>();
  #at = 0;
  #done = 0;

  /** Eight instructions from a multiple of 8 on. */
  load(entry: number, words: readonly number[]): void {
    words.forEach((word, i) => {
      this.#words[8 * entry + i] = word;
    });
  }

  reset(): void {
    this.#at = 0;
    this.#done = 0;
    this.#jumps.clear();
  }

  /** Null after the last one. */
  next(): Instruction | null {
    for (;;) {
      const instruction = decode(this.#words[this.#at]);
      if (instruction.operation === 'EXIT') return null;
      if (instruction.operation !== 'JUMP') {
        this.#done = (this.#done + 1) % commandsOf(instruction);
        if (this.#done === 0) this.#at++;
        return instruction;
      }
      const jumps = this.#jumps.get(this.#at) ?? 0;
      this.#jumps.set(this.#at, jumps + 1);
      this.#at += jumps < instruction.times ? 1 - instruction.back : 1;
    }
  }
}

/** Column commands that an instruction goes on for. */
function commandsOf(instruction: Instruction): number {
  if (instruction.operation === 'NOP') return instruction.times;
  return instruction.operation === 'FILL' || ('auto' in instruction && instruction.auto) ? 8 : 1;
}

/** What an instruction of one unit finds: the open rows of its banks at the command's column, and its registers. */
export interface Unit {
  readonly bank: (parity: number) => Lanes;
  readonly store: (parity: number, values: Lanes) => void;
  readonly register: (file: 'grfA' | 'grfB' | 'srf', index: number) => Lanes;
  readonly setRegister: (file: 'grfA' | 'grfB', index: number, values: Lanes) => void;
}

/** Executes an instruction in one unit, for a command to a bank of a parity. */
export function execute(
  instruction: Instruction,
  unit: Unit,
  { row, column, parity, isWrite }: { row: number; column: number; parity: number; isWrite: boolean },
): void {
  if (instruction.operation === 'NOP') {
    if (isWrite) unit.store(parity, unit.register(parity === 0 ? 'grfA' : 'grfB', column % 8));
    return;
  }
  if (instruction.operation === 'JUMP' || instruction.operation === 'EXIT') return;
  const isMac = instruction.operation === 'MAC';
  const isAuto = instruction.operation === 'FILL' || ('auto' in instruction && instruction.auto);
  const indexOf = (operand: Operand): [string, number] => {
    const [place, index] = typeof operand === 'string' ? [operand, 0] : operand;
    if (!isAuto) return [place, index % 8];
    return [place, isMac && place === 'GRF_A' ? 4 * (row % 2) + (Math.floor(column / 8) % 4) : column % 8];
  };
  const read = (operand: Operand): Lanes => {
    const [place, index] = indexOf(operand);
    if (place === 'EVEN_BANK' || place === 'ODD_BANK') return unit.bank(place === 'EVEN_BANK' ? 0 : 1);
    if (place === 'GRF_A' || place === 'GRF_B') return unit.register(place === 'GRF_A' ? 'grfA' : 'grfB', index);
    const scalars = unit.register('srf', 0);
    const own = typeof operand === 'string' ? 0 : operand[1];
    return scalars.map(() => scalars[(own % 8) + (place === 'SRF_A' ? 8 : 0)]);
  };
  const [place, index] = indexOf(instruction.to);
  const values = resultOf(instruction, read, () => read(instruction.to));
  if (place === 'GRF_A' || place === 'GRF_B') unit.setRegister(place === 'GRF_A' ? 'grfA' : 'grfB', index, values);
  else unit.store(place === 'EVEN_BANK' ? 0 : 1, values);
}

type Working = Exclude<Instruction, { readonly operation: 'NOP' | 'JUMP' | 'EXIT' }>;

function resultOf(instruction: Working, read: (operand: Operand) => Lanes, before: () => Lanes): Lanes {
  if ('relu' in instruction) {
    const values = read(instruction.from);
    return instruction.relu ? values.map((value) => (value > 0 ? value : 0)) : values;
  }
  const [one, two] = [read(instruction.from[0]), read(instruction.from[1])];
  const half = (value: number): number => rounded(value, 'fp16');
  if (instruction.operation === 'ADD') return one.map((value, lane) => half(value + two[lane]));
  const products = one.map((value, lane) => half(value * two[lane]));
  if (instruction.operation === 'MUL') return products;
  const [, , third] = instruction.from;
  const second = instruction.from[1];
  const added = third === undefined ? before() : read(typeof second === 'string' ? third : [third, second[1]]);
  return products.map((value, lane) => half(value + added[lane]));
}
