/** Address mappings as users write them. */
import { nearest, suggest } from '../diagnostics.ts';
import type { DramDevice } from './device.ts';

/** What is wrong with an address mapping, as one clause, and what would do. */
export class MappingError extends Error {
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.name = 'MappingError';
    this.hint = hint;
  }
}

/** A part of an address: the channel, a level below it, the row or the column. */
export interface AddressField {
  readonly name: string;
  /** Stands for one bit of it in a mapping that is written bit by bit. */
  readonly letter: string;
  readonly bits: number;
}

/** The fields of an address, in the order channel, levels below it, row, column. */
export interface AddressFields {
  readonly channel: AddressField;
  readonly levels: readonly AddressField[];
  readonly row: AddressField;
  readonly column: AddressField;
  readonly all: readonly AddressField[];
}

/** `field` becomes its exclusive or with the bits of `by` from bit `from` on. */
interface AddressHash {
  readonly field: AddressField;
  readonly by: AddressField;
  readonly from: number;
}

export interface MappingDescription {
  /** The field of every address bit, from the least significant. The bits of a field lie in the same order. */
  readonly layout: readonly AddressField[];
  /** In the order in which they are done. */
  readonly hashes: readonly AddressHash[];
}

const letters = new Map([
  ['channel', 'h'],
  ['pseudoChannel', 'p'],
  ['stackId', 's'],
  ['rank', 'k'],
  ['bankGroup', 'g'],
  ['bank', 'b'],
  ['row', 'r'],
  ['column', 'c'],
]);

/** @throws MappingError when a size is not a power of two, which no choice of bits can address */
export function addressFields(device: DramDevice, channels: number): AddressFields {
  const taken = new Set(letters.values());
  const field = (name: string, size: number): AddressField => {
    const letter = letters.get(name) ?? [...name.toLowerCase()].find((l) => !taken.has(l)) ?? '?';
    taken.add(letter);
    return { name, letter, bits: bitsOf(name, size) };
  };
  const channel = field('channel', channels);
  const levels = device.levels.slice(1).map((name, i) => field(name, device.counts[i + 1]!));
  const [row, column] = [field('row', device.rows), field('column', device.bursts)];
  return { channel, levels, row, column, all: [channel, ...levels, row, column] };
}

function bitsOf(name: string, size: number): number {
  const bits = Math.log2(size);
  if (Number.isInteger(bits)) return bits;
  throw new MappingError(
    `${size} ${name}s cannot be addressed by bits`,
    `${2 ** Math.floor(bits)} or ${2 ** Math.ceil(bits)} can`,
  );
}

/** MOP4CLXOR keeps this many column bits lowest: minimalist open page of 4 accesses (Kaseridis et al., MICRO 2011). */
const mopBits = 2;

const times = (field: AddressField, count = field.bits): AddressField[] => Array(count).fill(field);
const whole = (fields: readonly AddressField[]): AddressField[] => fields.flatMap((field) => times(field));

/** Levels whose nodes answer side by side at the data bus's full rate. */
const parallelLevels = ['pseudoChannel', 'bankGroup'];

/**
 * Mappings by name. `interleaved` spreads neighbours over channels, pseudo-channels and bank groups, so that a stream
 * runs at the peak rate, and hashes bank groups and banks by the row, so that arrays of equal shape do not share a bank
 * all the time. The others are as Ramulator calls and defines them.
 */
const named: { readonly [name: string]: (fields: AddressFields) => MappingDescription } = {
  interleaved: ({ channel, levels, row, column }) => {
    const parallel = levels.filter(({ name }) => parallelLevels.includes(name));
    const others = levels.filter((level) => !parallel.includes(level)).toReversed();
    let from = 0;
    const hashes = [...levels.filter(({ name }) => name === 'bankGroup' || name === 'bank')].map((field) => {
      const hash = { field, by: row, from };
      from += field.bits;
      return hash;
    });
    return { layout: whole([channel, ...parallel, column, ...others, row]), hashes };
  },
  RoBaRaCoCh: ({ channel, levels, row, column }) => ({ layout: whole([channel, column, ...levels, row]), hashes: [] }),
  ChRaBaRoCo: ({ channel, levels, row, column }) => ({
    layout: whole([column, row, ...levels.toReversed(), channel]),
    hashes: [],
  }),
  MOP4CLXOR: ({ channel, levels, row, column }) => {
    const low = Math.min(mopBits, column.bits);
    const layout = [
      ...times(channel),
      ...times(column, low),
      ...whole(levels),
      ...times(column, column.bits - low),
      ...times(row),
    ];
    // Ramulator goes on behind the bank: the row takes the column bits that the levels leave.
    let from = 0;
    const hashes = [...levels, row].map((field) => {
      const hash = { field, by: column, from };
      from += field.bits;
      return hash;
    });
    return { layout, hashes };
  },
};

/**
 * Reads a mapping: a name, the fields from the most significant (`row-bank-column-bankGroup-column:2`), or a letter for
 * each bit from the most significant (`rrrrbbcc`); then hashes, such as `, bank ^= row`.
 * @throws MappingError
 */
export function describeMapping(text: string, fields: AddressFields): MappingDescription {
  const [first = '', ...rest] = text.split(',').map((part) => part.trim());
  const { layout, hashes } = describeLayout(first, fields);
  return { layout, hashes: [...hashes, ...rest.map((part) => hashOf(part, fields))] };
}

function describeLayout(text: string, fields: AddressFields): MappingDescription {
  const known = named[text];
  if (known) return known(fields);
  const isOrder = /[-:]/.test(text) || fields.all.some(({ name }) => name === text);
  if (isOrder) return { layout: orderLayout(text, fields), hashes: [] };
  const isLetters = /^[a-z ]+$/.test(text) && nearest(text, Object.keys(named)) === undefined;
  if (isLetters) return { layout: letterLayout(text.replaceAll(' ', ''), fields), hashes: [] };
  throw new MappingError(
    text === '' ? 'the address mapping is empty' : `there is no address mapping "${text}"`,
    `${suggest(text, Object.keys(named))}${nearest(text, Object.keys(named)) ? '' : `, or an order of fields such as "${orderOf(fields)}"`}`,
  );
}

/** An order that is right for a device: fields of no bits are left out. */
const orderOf = ({ row, levels, column, channel }: AddressFields): string =>
  [row, ...levels, column, channel]
    .filter(({ bits }) => bits > 0)
    .map(({ name }) => name)
    .join('-');

function find(name: string, { all }: AddressFields): AddressField {
  const names = all.map((field) => field.name);
  const found = all.find((field) => field.name === name);
  if (found) return found;
  throw new MappingError(`there is no field "${name}" in an address`, suggest(name, names));
}

interface Segment {
  readonly field: AddressField;
  /** Null for all that other segments leave. */
  readonly count: number | null;
}

function orderLayout(text: string, fields: AddressFields): AddressField[] {
  const segments = text.split('-').map((part) => segmentOf(part.trim(), fields));
  return segments
    .toReversed()
    .flatMap(({ field, count }) => times(field, count ?? restOf(field, segments)))
    .concat(complain(fields, segments));
}

function segmentOf(text: string, fields: AddressFields): Segment {
  const [name = '', count, ...more] = text.split(':').map((part) => part.trim());
  const field = find(name, fields);
  if (count === undefined) return { field, count: null };
  if (/^[1-9]\d*$/.test(count) && more.length === 0) return { field, count: Number(count) };
  throw new MappingError(`"${text}" has no number of bits`, `write it as "${name}:2"`);
}

const counted = (field: AddressField, segments: readonly Segment[]): number =>
  segments.reduce((sum, segment) => sum + (segment.field === field ? (segment.count ?? 0) : 0), 0);

const restOf = (field: AddressField, segments: readonly Segment[]): number =>
  Math.max(0, field.bits - counted(field, segments));

/** Throws when segments take more or less bits than a field has. */
function complain(fields: AddressFields, segments: readonly Segment[]): [] {
  for (const field of fields.all) {
    const { name, bits } = field;
    const open = segments.filter((segment) => segment.field === field && segment.count === null).length;
    const count = counted(field, segments);
    if (open > 1)
      throw new MappingError(`"${name}" is there ${open} times`, `such as "${name}:2" where it takes 2 bits`);
    if (open === 0 && count < bits) throw tooFew(field, count, `add "${name}"`);
    if (count > bits) throw tooMany(field, count);
  }
  return [];
}

function tooFew({ name, bits }: AddressField, found: number, hint: string): MappingError {
  const has = found === 0 ? `has no ${name}` : `has ${found} of the ${bits} bits of the ${name}`;
  return new MappingError(`the address mapping ${has}`, found === 0 ? `${hint}, of ${bits} bits` : hint);
}

function tooMany({ name, bits }: AddressField, found: number): MappingError {
  const has = `the address mapping has ${found} ${found === 1 ? 'bit' : 'bits'} of the ${name}`;
  return new MappingError(`${has}, which has ${bits === 0 ? 'none' : bits}`, `remove ${found - bits}`);
}

function letterLayout(text: string, { all }: AddressFields): AddressField[] {
  const layout = [...text].toReversed().map((letter) => {
    const field = all.find((candidate) => candidate.letter === letter);
    if (field) return field;
    const known = all.map((candidate) => `${candidate.letter} (${candidate.name})`);
    throw new MappingError(`no field of an address has the letter "${letter}"`, `one of ${known.join(', ')}`);
  });
  for (const field of all) {
    const count = layout.filter((other) => other === field).length;
    if (count < field.bits) throw tooFew(field, count, `add "${field.letter.repeat(field.bits - count)}"`);
    if (count > field.bits) throw tooMany(field, count);
  }
  return layout;
}

function hashOf(text: string, fields: AddressFields): AddressHash {
  const [name, by, ...more] = text.split('^=').map((part) => part.trim());
  if (name !== undefined && by !== undefined && more.length === 0) {
    return { field: find(name, fields), by: find(by, fields), from: 0 };
  }
  throw new MappingError(`"${text}" is no hash`, 'write it as "bank ^= row"');
}
