import { Map as ImmutableMap, List, OrderedMap } from 'immutable';
import {
  Arch,
  ArrayPart,
  DmaPart,
  GroupPart,
  MemoryPart,
  OperationCost,
  type Part,
  Registers,
  ScratchpadPart,
  VectorPart,
} from '../../../arch/language/arch.ts';
import { MemoryRow, RegisterRow, SramRow, Technology, UnitRow } from '../../../arch/language/technology.ts';

const KiB = 1024;

export const cost = (action: string, times = 1) =>
  new OperationCost({ cycles: times, depth: times, action, actions: times });

/** Round numbers, so that a test can be read: joules and mm2 in single digits. */
export const technology = new Technology({
  name: 'round',
  word: 16,
  units: ImmutableMap({ mac: new UnitRow({ energy: 3, area: 30 }), add: new UnitRow({ energy: 1, area: 10 }) }),
  registers: List([
    new RegisterRow({ words: 8, bits: 16, read: 1, write: 2, area: 5 }),
    new RegisterRow({ words: 16, bits: 16, read: 2, write: 4, area: 9 }),
  ]),
  sram: List([
    new SramRow({ capacity: 4 * KiB, width: 8, banks: 1, ports: 1, read: 10, write: 20, area: 100 }),
    new SramRow({ capacity: 16 * KiB, width: 8, banks: 1, ports: 1, read: 20, write: 40, area: 400 }),
    new SramRow({ capacity: 16 * KiB, width: 32, banks: 4, ports: 2, read: 70, write: 80, area: 500 }),
  ]),
  memory: ImmutableMap({ HBM2: new MemoryRow({ perBit: 0.5 }) }),
});

export const array = new ArrayPart({
  clock: 'core',
  rows: 4,
  columns: 2,
  operations: ImmutableMap({ mac: cost('mac'), add: cost('add'), exp: cost('mac', 6) }),
  registers: new Registers({ words: 16, dtype: 'bf16' }),
});

export const vector = new VectorPart({ clock: 'core', lanes: 8, operations: ImmutableMap({ mac: cost('mac') }) });

export const buffer = new ScratchpadPart({ clock: 'core', capacity: 16 * KiB, width: 8, banks: 1, ports: 1 });

export const hbm = new MemoryPart({ technology: 'HBM2' });

export const dma = new DmaPart({ clock: 'core' });

export const group = (count: number, parts: Record<string, Part>) => new GroupPart({ count, parts: OrderedMap(parts) });

export const machine = (parts: Record<string, Part>, tables: Technology | null = technology) =>
  new Arch({ name: 'chip', technology: tables, clocks: OrderedMap({ core: 1e9 }), parts: OrderedMap(parts) });
