/**
 * Instructions of HBM-PIM's units, 32 bits each: fields as in Samsung's PIMSimulator (SAITPublic/PIMSimulator commit b464dde,
 * src/PIMCmd). The operation is in the highest 4 bits.
 */

const operations = [
  'NOP',
  'ADD',
  'MUL',
  'MAC',
  'MAD',
  '',
  '',
  '',
  'MOV',
  'FILL',
  '',
  '',
  '',
  '',
  'JUMP',
  'EXIT',
] as const;
const places = ['A_OUT', 'M_OUT', 'EVEN_BANK', 'ODD_BANK', 'GRF_A', 'GRF_B', 'SRF_M', 'SRF_A'] as const;

/** Where an operand is: what the units gave last, the open row of a bank, or a register. */
export type Place = (typeof places)[number];

/** A place, and which of its registers; without an index, register 0. */
export type Operand = Place | readonly [place: Place, index: number];

export type Instruction =
  /** Goes on `times` commands long; a write with it puts a register into the bank. */
  | { readonly operation: 'NOP'; readonly times: number }
  | {
      readonly operation: 'ADD' | 'MUL' | 'MAC';
      readonly to: Operand;
      readonly from: readonly [Operand, Operand];
      /** Goes on 8 commands long, with registers that the column and the row of each choose. */
      readonly auto: boolean;
    }
  /** The third operand, which is added, has the index of the second. */
  | {
      readonly operation: 'MAD';
      readonly to: Operand;
      readonly from: readonly [Operand, Operand, Place];
      readonly auto: boolean;
    }
  /** FILL goes on 8 commands long, as `auto` of others. `relu` makes negative numbers 0. */
  | { readonly operation: 'MOV' | 'FILL'; readonly to: Operand; readonly from: Operand; readonly relu: boolean }
  /** Goes `back` so many instructions, `times` times, and takes no time. */
  | { readonly operation: 'JUMP'; readonly times: number; readonly back: number }
  | { readonly operation: 'EXIT' };

/** Name, bits and lowest bit of the fields besides the operation. */
const fields = {
  times: [11, 0],
  jumps: [17, 11],
  back: [11, 0],
  to: [3, 25],
  from0: [3, 22],
  from1: [3, 19],
  from2: [3, 16],
  auto: [1, 15],
  relu: [1, 12],
  toIndex: [4, 8],
  index0: [4, 4],
  index1: [4, 0],
} as const;

type Field = keyof typeof fields;

/** @throws RangeError on a number that does not fit into its bits */
export function encode(instruction: Instruction): number {
  const code = operations.indexOf(instruction.operation);
  const values = Object.entries(valuesOf(instruction)) as [Field, number][];
  return values.reduce(
    (word, [field, value]) => {
      const [bits, lowest] = fields[field];
      if (!Number.isInteger(value) || value < 0 || value >= 2 ** bits) {
        throw new RangeError(
          `${instruction.operation} has ${bits} bits for ${field}, which ${value} does not fit into`,
        );
      }
      return word + value * 2 ** lowest;
    },
    code * 2 ** 28,
  );
}

function valuesOf(instruction: Instruction): { readonly [F in Field]?: number } {
  switch (instruction.operation) {
    case 'NOP':
      return { times: instruction.times - 1 };
    case 'JUMP':
      return { jumps: instruction.times, back: instruction.back };
    case 'EXIT':
      return {};
    case 'MOV':
    case 'FILL': {
      const { to, from, relu } = instruction;
      return { ...target(to), from0: placeOf(from), index0: indexOf(from), relu: Number(relu) };
    }
    default: {
      const { to, from, auto } = instruction;
      const [one, two, three] = from;
      return {
        ...target(to),
        from0: placeOf(one),
        index0: indexOf(one),
        from1: placeOf(two),
        index1: indexOf(two),
        ...(three && { from2: placeOf(three) }),
        auto: Number(auto),
      };
    }
  }
}

function target(operand: Operand): { readonly to: number; readonly toIndex: number } {
  return { to: placeOf(operand), toIndex: indexOf(operand) };
}

function placeOf(operand: Operand): number {
  return places.indexOf(typeof operand === 'string' ? operand : operand[0]);
}

function indexOf(operand: Operand): number {
  return typeof operand === 'string' ? 0 : operand[1];
}

/** @throws RangeError on a word that is no instruction */
export function decode(word: number): Instruction {
  const get = (field: Field): number => {
    const [bits, lowest] = fields[field];
    return Math.floor(word / 2 ** lowest) % 2 ** bits;
  };
  const operand = (place: Field, index: Field): Operand => {
    const name = places[get(place)];
    if (name === undefined) throw new RangeError(`${word} names no operand`);
    return get(index) === 0 ? name : [name, get(index)];
  };
  const operation = operations[Math.floor(word / 2 ** 28)];
  switch (operation) {
    case 'NOP':
      return { operation, times: get('times') + 1 };
    case 'JUMP':
      return { operation, times: get('jumps'), back: get('back') };
    case 'EXIT':
      return { operation };
    case 'MOV':
    case 'FILL':
      return { operation, to: operand('to', 'toIndex'), from: operand('from0', 'index0'), relu: get('relu') === 1 };
    case 'ADD':
    case 'MUL':
    case 'MAC':
    case 'MAD': {
      const rest = { to: operand('to', 'toIndex'), auto: get('auto') === 1 };
      const [one, two] = [operand('from0', 'index0'), operand('from1', 'index1')];
      if (operation !== 'MAD') return { operation, ...rest, from: [one, two] };
      const third = places[get('from2')];
      if (third === undefined) throw new RangeError(`${word} names no operand`);
      return { operation, ...rest, from: [one, two, third] };
    }
    default:
      throw new RangeError(`${word} is no instruction`);
  }
}
