import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DramDevice } from '../../../arch/language/dram/device.ts';
import { type AddressMapping, compileMapping, MappingError } from '../../../arch/language/dram/mapping.ts';
import { bareDevice } from './bare-device.ts';

const ddr4 = bareDevice({ channel: 1, rank: 1, bankGroup: 4, bank: 4 }, 65_536, 128);
const twoRanks = bareDevice({ channel: 1, rank: 2, bankGroup: 4, bank: 4 }, 65_536, 128);
const ddr5 = bareDevice({ channel: 1, rank: 1, bankGroup: 8, bank: 4 }, 65_536, 64);
const hbm3 = bareDevice({ channel: 1, pseudoChannel: 2, stackId: 2, bankGroup: 4, bank: 4 }, 16_384, 32);

function decoded(mapping: AddressMapping, block: number): number[] {
  mapping.decode(block);
  return [mapping.bank, mapping.row, mapping.column];
}

function whyNot(text: string, device: DramDevice = ddr4, channels = 1): string {
  try {
    compileMapping(text, device, channels);
  } catch (error) {
    if (error instanceof MappingError) return `${error.message}; ${error.hint}`;
    throw error;
  }
  return 'nothing is wrong';
}

/** Blocks of Ramulator 2.1's reference traces and what its mappers make of them: bank in tree order, row, column. */
const blocks = [0, 1, 130, 5592405, 11184810, 16777215, 804377, 123456789];
const ramulator: [string, string, DramDevice, number, number[][]][] = [
  [
    'DDR4_8Gb_x8',
    'RoBaRaCoCh',
    ddr4,
    2048,
    [
      [0, 0, 0],
      [0, 0, 1],
      [4, 0, 2],
      [10, 2730, 85],
      [5, 5461, 42],
      [15, 8191, 127],
      [3, 392, 25],
      [10, 60281, 21],
    ],
  ],
  [
    'DDR4_8Gb_x8 with 2 ranks',
    'RoBaRaCoCh',
    twoRanks,
    4096,
    [
      [0, 0, 0],
      [0, 0, 1],
      [16, 0, 2],
      [5, 1365, 85],
      [26, 2730, 42],
      [31, 4095, 127],
      [9, 196, 25],
      [7, 30140, 21],
    ],
  ],
  [
    'DDR5_16Gb_x8',
    'row-rank-bank-column-bankGroup',
    ddr5,
    2048,
    [
      [0, 0, 0],
      [4, 0, 0],
      [8, 0, 16],
      [22, 2730, 42],
      [9, 5461, 21],
      [31, 8191, 63],
      [7, 392, 3],
      [22, 60281, 34],
    ],
  ],
  [
    'HBM3_16Gb_8hi',
    'RoBaRaCoCh',
    hbm3,
    2048,
    [
      [0, 0, 0],
      [0, 0, 1],
      [4, 0, 2],
      [26, 2730, 21],
      [37, 5461, 10],
      [63, 8191, 31],
      [3, 392, 25],
      [10, 11129, 21],
    ],
  ],
  [
    'HBM3_16Gb_8hi',
    'row-stackId-bank-column-bankGroup-pseudoChannel',
    hbm3,
    2048,
    [
      [0, 0, 0],
      [32, 0, 0],
      [4, 0, 16],
      [57, 2730, 10],
      [6, 5461, 21],
      [63, 8191, 31],
      [50, 392, 3],
      [57, 11129, 2],
    ],
  ],
  [
    'DDR4_8Gb_x8',
    'MOP4CLXOR',
    ddr4,
    2048,
    [
      [0, 0, 0],
      [4, 0, 1],
      [10, 0, 10],
      [0, 2735, 85],
      [0, 5463, 42],
      [0, 8184, 127],
      [13, 398, 97],
      [1, 60284, 81],
    ],
  ],
];

describe('named mappings and orders of fields', () => {
  it.each(ramulator)('%s: %s is that of Ramulator', (_, text, device, stride, expected) => {
    const mapping = compileMapping(text, device, 1);
    expect(blocks.map((block) => decoded(mapping, block))).toEqual(expected);
    expect(mapping.rowStride).toBe(stride);
  });

  it('ChRaBaRoCo keeps a row together, then all rows of a bank, and the channel highest', () => {
    const mapping = compileMapping('ChRaBaRoCo', twoRanks, 4);
    expect(mapping.rowStride).toBe(128);
    expect(decoded(mapping, 128 * 65_536)).toEqual([1, 0, 0]);
    expect(decoded(mapping, 128 * 65_536 * 32)).toEqual([0, 0, 0]);
    expect(mapping.channel).toBe(1);
  });

  it.each(['RoBaRaCoCh', 'MOP4CLXOR'])('%s sends neighbouring blocks to neighbouring channels', (text) => {
    const mapping = compileMapping(text, ddr4, 8);
    const channels = Array.from({ length: 10 }, (_, block) => {
      mapping.decode(block);
      return mapping.channel;
    });
    expect(channels).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 0, 1]);
  });

  it('interleaved spreads a stream over channels, pseudo-channels and bank groups, and turns with the row', () => {
    const mapping = compileMapping('interleaved', hbm3, 2);
    const place = (block: number): number[] => {
      mapping.decode(block);
      return [mapping.channel, mapping.bank, mapping.row, mapping.column];
    };
    // Of the 64 banks of a channel: 32 in each pseudo-channel, 16 with each stack id, 4 in each bank group.
    expect([0, 1, 2, 3, 4, 6, 16].map(place)).toEqual([
      [0, 0, 0, 0],
      [1, 0, 0, 0],
      [0, 32, 0, 0],
      [1, 32, 0, 0],
      [0, 4, 0, 0],
      [0, 36, 0, 0],
      [0, 0, 0, 1],
    ]);
    expect(place(mapping.rowStride)).toEqual([0, 4, 1, 0]);
    expect(place(4 * mapping.rowStride)).toEqual([0, 1, 4, 0]);
  });

  it('splits a field', () => {
    const mapping = compileMapping('row-column-bankGroup-bank-column:2', ddr4, 1);
    expect(decoded(mapping, 0b1_10_11_01)).toEqual([0b10_11, 0, 0b101]);
  });

  it('reads letters from the most significant bit, spaces or not', () => {
    const mapping = compileMapping('rrrrrrrrrrrrrrrr ccccc bb gg cc', ddr4, 1);
    expect(decoded(mapping, 0b1_10_11_01)).toEqual([0b11_10, 0, 0b101]);
    expect(decoded(compileMapping('rrrrrrrrrrrrrrrrcccccbbggcc', ddr4, 1), 0b1_10_11_01)).toEqual([0b11_10, 0, 0b101]);
  });

  it('does hashes in their order, each on what the last one made', () => {
    const mapping = compileMapping('row-bank-bankGroup-column, bank ^= row, bankGroup ^= bank', ddr4, 1);
    const block = (row: number, bank: number, group: number) => ((row * 4 + bank) * 4 + group) * 128;
    expect(decoded(mapping, block(0b0110, 0b11, 0b10))).toEqual([0b11_01, 0b0110, 0]);
  });

  it('begins again behind the capacity', () => {
    const mapping = compileMapping('RoBaRaCoCh', ddr4, 1);
    expect(mapping.bits).toBe(27);
    expect(decoded(mapping, 2 ** 27 + 130)).toEqual([4, 0, 2]);
    expect(decoded(mapping, 2 ** 53 - 2 ** 27 + 130)).toEqual([4, 0, 2]);
  });
});

describe('any mapping', () => {
  const bitsUpTo = (max: number) => fc.integer({ min: 0, max });
  const device = fc
    .record({
      sizes: fc.tuple(bitsUpTo(2), bitsUpTo(3), bitsUpTo(4)),
      rows: bitsUpTo(20),
      bursts: bitsUpTo(10),
      channels: bitsUpTo(7),
    })
    .map(({ sizes: [rank, bankGroup, bank], rows, bursts, channels }) => ({
      device: bareDevice(
        { channel: 1, rank: 2 ** rank, bankGroup: 2 ** bankGroup, bank: 2 ** bank },
        2 ** rows,
        2 ** bursts,
      ),
      channels: 2 ** channels,
      letters: [
        ...['k'.repeat(rank), 'g'.repeat(bankGroup), 'b'.repeat(bank)],
        ...['r'.repeat(rows), 'c'.repeat(bursts), 'h'.repeat(channels)],
      ].join(''),
    }))
    .filter(({ letters }) => letters.length > 0);
  const names = ['rank', 'bankGroup', 'bank', 'row', 'column', 'channel'];
  const hash = fc.tuple(fc.constantFrom(...names), fc.constantFrom(...names)).filter(([a, b]) => a !== b);
  const arbitrary = device.chain(({ device, channels, letters }) =>
    fc.record({
      device: fc.constant(device),
      channels: fc.constant(channels),
      layout: fc
        .shuffledSubarray([...letters], { minLength: letters.length, maxLength: letters.length })
        .map((all) => all.join('')),
      hashes: fc.array(hash, { maxLength: 3 }),
      block: fc.maxSafeNat(),
    }),
  );

  it('is decoded bit by bit, and encode undoes it', () => {
    fc.assert(
      fc.property(arbitrary, ({ device, channels, layout, hashes, block }) => {
        const text = [layout, ...hashes.map(([field, by]) => `${field} ^= ${by}`)].join(', ');
        const mapping = compileMapping(text, device, channels);
        const within = Number(BigInt(block) % (1n << BigInt(layout.length)));
        const found = decoded(mapping, block);
        expect([mapping.channel, ...found]).toEqual(bitByBit(layout, hashes, within, device));
        const [bank = 0, row = 0, column = 0] = found;
        expect(mapping.encode(mapping.channel, bank, row, column)).toBe(within);
      }),
      { numRuns: 500 },
    );
  });

  /** Channel, bank, row and column of a block, from the meaning of the letters. */
  function bitByBit(layout: string, hashes: string[][], block: number, { counts }: DramDevice): number[] {
    const found: { [letter: string]: bigint } = {};
    [...layout].forEach((letter, i) => {
      const bit = (BigInt(block) >> BigInt(layout.length - 1 - i)) & 1n;
      found[letter] = ((found[letter] ?? 0n) << 1n) | bit;
    });
    const letterOf = (name: string) => ({ rank: 'k', bankGroup: 'g', channel: 'h' })[name] ?? name.charAt(0);
    for (const [field = '', by = ''] of hashes) {
      const size = BigInt([...layout].filter((letter) => letter === letterOf(field)).length);
      found[letterOf(field)] = (found[letterOf(field)] ?? 0n) ^ ((found[letterOf(by)] ?? 0n) & ((1n << size) - 1n));
    }
    const value = (letter: string) => Number(found[letter] ?? 0n);
    const bank = (value('k') * counts[2]! + value('g')) * counts[3]! + value('b');
    return [value('h'), bank, value('r'), value('c')];
  }
});

describe('channels that are no power of two', () => {
  const texts = ['interleaved', 'RoBaRaCoCh', 'MOP4CLXOR'] as const;

  it('take turns, each with what one channel alone would have', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...texts),
        fc.constantFrom(ddr4, hbm3),
        fc.constantFrom(3, 5, 12, 80),
        fc.nat(2 ** 30),
        (text, device, channels, block) => {
          const mapping = compileMapping(text, device, channels);
          const one = compileMapping(text, device, 1);
          const found = decoded(mapping, block);
          const channel = mapping.channel;
          expect(channel).toBe(block % channels);
          expect(found).toEqual(decoded(one, Math.floor(block / channels)));
          const [bank = 0, row = 0, column = 0] = found;
          const inner = Math.floor(block / channels) % 2 ** mapping.bits;
          expect(mapping.encode(channel, bank, row, column)).toBe(inner * channels + channel);
          const next = mapping.nextInChannel((channel + 2) % channels, block, block + 2 * channels);
          expect(next).toBe(block + 2);
        },
      ),
      { numRuns: 300, seed: Number(process.env.SEED ?? 20261121) },
    );
  });

  it('have equally much after as many blocks', () => {
    expect(compileMapping('interleaved', hbm3, 80).period).toBe(80);
  });
});

describe('what is wrong with a mapping', () => {
  it.each([
    ['RoBaRaCoHc', 'there is no address mapping "RoBaRaCoHc"; did you mean "RoBaRaCoCh"?'],
    [
      'Open Page',
      'there is no address mapping "Open Page"; one of interleaved, RoBaRaCoCh, ChRaBaRoCo, MOP4CLXOR, or an order of fields such as ' +
        '"row-bankGroup-bank-column"',
    ],
    [
      '',
      'the address mapping is empty; one of interleaved, RoBaRaCoCh, ChRaBaRoCo, MOP4CLXOR, or an order of fields such as "row-bankGroup-bank-column"',
    ],
    ['row-bnak-bankGroup-column', 'there is no field "bnak" in an address; did you mean "bank"?'],
    ['row-bank-column', 'the address mapping has no bankGroup; add "bankGroup", of 2 bits'],
    ['row-bankGroup-bank-column:3', 'the address mapping has 3 of the 7 bits of the column; add "column"'],
    ['row-bankGroup-bank-column:9', 'the address mapping has 9 bits of the column, which has 7; remove 2'],
    ['row-bankGroup-bank-column:x', '"column:x" has no number of bits; write it as "column:2"'],
    ['row-bankGroup-row-bank-column', '"row" is there 2 times; such as "row:2" where it takes 2 bits'],
    ['rrrrrrrrrrrrrrrrbbggccccc', 'the address mapping has 5 of the 7 bits of the column; add "cc"'],
    ['rrrrrrrrrrrrrrrrbbggccccccck', 'the address mapping has 1 bit of the rank, which has none; remove 1'],
    [
      'rrrrrrrrrrrrrrrrbbqqccccccc',
      'no field of an address has the letter "q"; one of h (channel), k (rank), g (bankGroup), b (bank), r (row), c (column)',
    ],
    ['RoBaRaCoCh, bank = row', '"bank = row" is no hash; write it as "bank ^= row"'],
    ['RoBaRaCoCh, bank ^= rows', 'there is no field "rows" in an address; did you mean "row"?'],
    [
      'RoBaRaCoCh, bank ^= bank',
      'the hashes of "RoBaRaCoCh, bank ^= bank" map different addresses to one place; hash a field by another one',
    ],
  ])('%s', (text, expected) => {
    expect(whyNot(text)).toBe(expected);
  });

  it('is told of channels left out, and of sizes that no bits address', () => {
    expect(whyNot('row-bankGroup-bank-column', ddr4, 8)).toBe(
      'the address mapping has no channel; add "channel", of 3 bits',
    );
    expect(whyNot('ChRaBaRoCo', ddr4, 3)).toBe(
      '3 channels cannot be addressed by bits; 2 or 4 can, or any number of channels in the lowest bits alone, as in interleaved',
    );
    expect(whyNot('interleaved, bank ^= channel', ddr4, 5)).toContain('5 channels cannot be addressed by bits; 4 or 8');
    expect(whyNot('RoBaRaCoCh', bareDevice({ channel: 1, bank: 2 ** 20 }, 2 ** 30, 128), 1)).toBe(
      'addresses have 57 bits; at most 53 can be, and 31 of a field',
    );
  });
});
