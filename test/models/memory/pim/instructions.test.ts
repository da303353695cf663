import { describe, expect, it } from 'vitest';
import { encode, type Instruction } from '../../../../workloads/pim/hbm-pim-instruction.ts';
import { execute, InstructionFile } from '../../../reference/pim-instructions.ts';

/** Operations that come with commands, and what an instruction file says after the last. */
function sequence(...program: readonly Instruction[]): string[] {
  const file = new InstructionFile();
  file.load(0, program.map(encode));
  const names: string[] = [];
  for (let next = file.next(); next && names.length < 100; next = file.next()) names.push(next.operation);
  return names;
}

const add = (auto: boolean): Instruction => ({ operation: 'ADD', to: 'GRF_A', from: ['GRF_A', 'EVEN_BANK'], auto });
const exit: Instruction = { operation: 'EXIT' };

describe('with every command comes', () => {
  it('the next instruction, eight times the one that is auto, n times NOP n', () => {
    expect(sequence(add(false), { operation: 'NOP', times: 3 }, add(true), exit)).toEqual([
      'ADD',
      ...Array(3).fill('NOP'),
      ...Array(8).fill('ADD'),
    ]);
  });

  it('what a JUMP leads to, which takes no command', () => {
    const move: Instruction = { operation: 'MOV', to: 'GRF_B', from: 'GRF_A', relu: false };
    expect(sequence(add(false), move, { operation: 'JUMP', times: 2, back: 3 }, exit)).toEqual(
      Array(3).fill(['ADD', 'MOV']).flat(),
    );
  });
});

describe('an instruction finds its operands', () => {
  const lanes = (value: number) => Array<number>(16).fill(value);
  const run = (instruction: Instruction, column: number, row = 0, isWrite = false) => {
    const set: string[] = [];
    const files = { grfA: 10, grfB: 20, srf: 0 };
    execute(
      instruction,
      {
        bank: (parity) => lanes(parity === 0 ? 2 : -3),
        store: (parity, values) => set.push(`bank ${parity}: ${values[0]}`),
        register: (file, index) =>
          file === 'srf' ? Array.from({ length: 16 }, (_, i) => i) : lanes(files[file] + index),
        setRegister: (file, index, values) => set.push(`${file} ${index}: ${values[0]}`),
      },
      { row, column, parity: 0, isWrite },
    );
    return set;
  };

  it.each<[string, Instruction, number, number, string]>([
    [
      'registers that it names',
      { operation: 'ADD', to: ['GRF_B', 3], from: [['GRF_A', 2], 'ODD_BANK'], auto: false },
      9,
      0,
      'grfB 3: 9',
    ],
    [
      'those of the column',
      { operation: 'MUL', to: 'GRF_A', from: ['GRF_A', 'EVEN_BANK'], auto: true },
      13,
      0,
      'grfA 5: 30',
    ],
    [
      'for MAC, GRF_A of eight columns',
      { operation: 'MAC', to: 'GRF_B', from: ['GRF_A', 'EVEN_BANK'], auto: true },
      26,
      0,
      'grfB 2: 48',
    ],
    [
      'and of the odd row',
      { operation: 'MAC', to: 'GRF_B', from: ['GRF_A', 'EVEN_BANK'], auto: true },
      26,
      1,
      'grfB 2: 56',
    ],
    [
      'scalars',
      { operation: 'MAD', to: 'GRF_A', from: ['EVEN_BANK', ['SRF_M', 3], 'SRF_A'], auto: false },
      0,
      0,
      'grfA 0: 17',
    ],
    ['a bank, rectified', { operation: 'MOV', to: ['GRF_A', 1], from: 'ODD_BANK', relu: true }, 0, 0, 'grfA 1: 0'],
    [
      'a register for a bank',
      { operation: 'MOV', to: 'ODD_BANK', from: ['GRF_B', 4], relu: false },
      0,
      0,
      'bank 1: 24',
    ],
  ])('%s', (_, instruction, column, row, result) => expect(run(instruction, column, row)).toEqual([result]));

  it('which a write with NOP puts into the bank', () => {
    expect(run({ operation: 'NOP', times: 8 }, 14, 0, true)).toEqual(['bank 0: 16']);
    expect(run({ operation: 'NOP', times: 8 }, 14)).toEqual([]);
  });
});
