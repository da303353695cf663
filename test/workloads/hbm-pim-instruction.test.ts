import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode, encode, type Instruction, type Operand, type Place } from '../../workloads/pim/hbm-pim-instruction.ts';

const seed = Number(process.env.SEED ?? 20261121);

const place = fc.constantFrom<Place[]>('EVEN_BANK', 'ODD_BANK', 'GRF_A', 'GRF_B', 'SRF_M', 'SRF_A');
const operand: fc.Arbitrary<Operand> = fc.oneof(place, fc.tuple(place, fc.integer({ min: 1, max: 15 })));
const instruction: fc.Arbitrary<Instruction> = fc.oneof(
  fc.record({ operation: fc.constant('NOP'), times: fc.integer({ min: 1, max: 2048 }) } as const),
  fc.record({ operation: fc.constant('JUMP'), times: fc.nat(131071), back: fc.nat(2047) } as const),
  fc.constant({ operation: 'EXIT' } as const),
  fc.record({ operation: fc.constantFrom('MOV', 'FILL'), to: operand, from: operand, relu: fc.boolean() } as const),
  fc.record({
    operation: fc.constantFrom('ADD', 'MUL', 'MAC'),
    to: operand,
    from: fc.tuple(operand, operand),
    auto: fc.boolean(),
  } as const),
  fc.record({
    operation: fc.constant('MAD'),
    to: operand,
    from: fc.tuple(operand, operand, place),
    auto: fc.boolean(),
  } as const),
);

describe('an instruction', () => {
  it('is read as it was written, from 32 bits', () => {
    fc.assert(
      fc.property(instruction, (one) => {
        const word = encode(one);
        expect(word >= 0 && word < 2 ** 32 && Number.isInteger(word)).toBe(true);
        expect(decode(word)).toEqual(one);
      }),
      { seed },
    );
  });

  // The layout of its simulator: the operation in bits 31-28, the result in 27-25, operands in 24-22 and 21-19, auto 15.
  it.each<[Instruction, number]>([
    [{ operation: 'MAC', to: 'GRF_B', from: ['GRF_A', 'EVEN_BANK'], auto: true }, 0x3b108000],
    [{ operation: 'JUMP', times: 7, back: 2 }, 0xe0003802],
    [{ operation: 'NOP', times: 8 }, 7],
    [{ operation: 'FILL', to: 'GRF_A', from: 'EVEN_BANK', relu: true }, 0x98801000],
    [{ operation: 'EXIT' }, 0xf0000000],
  ])('%j is %i', (one, word) => expect(encode(one)).toBe(word));

  it('does not fit with too many jumps', () => {
    expect(() => encode({ operation: 'JUMP', times: 2 ** 17, back: 2 })).toThrow('JUMP has 17 bits for jumps');
    expect(() => encode({ operation: 'NOP', times: 0 })).toThrow(RangeError);
  });

  it('is none with an operation that there is not', () =>
    expect(() => decode(0x50000000)).toThrow('is no instruction'));
});
