/** Energy and area of what a machine is made of: tables of measured rows, each with its source. */
import { List, Map, Record } from 'immutable';

/** Energy of one action of an operation unit, and the unit's area. */
export class UnitRow extends Record<{ energy: number; area: number; source: string }>(
  { energy: 0, area: 0, source: '' },
  'UnitRow',
) {}

/** One register file size: joules per word read or written, mm2 per file. */
export class RegisterRow extends Record<{
  words: number;
  bits: number;
  read: number;
  write: number;
  area: number;
  source: string;
}>({ words: 0, bits: 16, read: 0, write: 0, area: 0, source: '' }, 'RegisterRow') {}

/** One measured SRAM: joules per access of `width` bytes, mm2. */
export class SramRow extends Record<{
  capacity: number;
  width: number;
  banks: number;
  ports: number;
  read: number;
  write: number;
  area: number;
  source: string;
}>({ capacity: 0, width: 0, banks: 1, ports: 1, read: 0, write: 0, area: 0, source: '' }, 'SramRow') {}

/** Area of a unit whose energy the source does not give; mm2. */
export class AreaRow extends Record<{ area: number; source: string }>({ area: 0, source: '' }, 'AreaRow') {}

/** Area of an SRAM whose energy the source does not give: bytes, mm2. */
export class SramAreaRow extends Record<{ capacity: number; area: number; source: string }>(
  { capacity: 0, area: 0, source: '' },
  'SramAreaRow',
) {}

/** Joules per bit moved to or from a memory device. */
export class MemoryRow extends Record<{ perBit: number; source: string }>({ perBit: 0, source: '' }, 'MemoryRow') {}

export class Technology extends Record<{
  name: string;
  about: string;
  /** Feature size in nanometres. */
  node: number;
  /** Word that unit rows were measured for, in bits. */
  word: number;
  /** Unit rows by action: mac, add, max, divide, ... Joules per action, mm2 per unit. */
  units: Map<string, UnitRow>;
  registers: List<RegisterRow>;
  sram: List<SramRow>;
  memory: Map<string, MemoryRow>;
  /** Units known by area alone; no action of `units` is here too. */
  areas: Map<string, AreaRow>;
  /** SRAMs known by area alone. */
  sramAreas: List<SramAreaRow>;
}>(
  {
    name: '',
    about: '',
    node: 0,
    word: 16,
    units: Map(),
    registers: List(),
    sram: List(),
    memory: Map(),
    areas: Map(),
    sramAreas: List(),
  },
  'Technology',
) {}
