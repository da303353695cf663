import type { ScratchpadPart } from '../../arch/language/arch.ts';
import { bytes } from '../../arch/language/describe.ts';
import type { SramAreaRow, SramRow, Technology } from '../../arch/language/technology.ts';
import { type Bracket, bracket, nearestTo, onPowerLaw } from './interpolate.ts';

/** Joules of one access of the scratchpad's own width. */
export interface SramEnergy {
  readonly read: number;
  readonly write: number;
  /** How the table's rows were stretched to it; null where one fits. */
  readonly note: string | null;
}

/** One instance of a scratchpad, all its banks together: mm2. */
export interface SramArea {
  readonly area: number;
  readonly note: string | null;
}

const capacity = (row: SramRow | SramAreaRow): number => row.capacity;

/**
 * An access takes the row of the same capacity, width, banks and ports. Where there is none, its energy lies on a power
 * law over capacity through the two nearest rows of the nearest width, scaled linearly in width; their banks and ports
 * are not considered. Null when the technology knows no such energies.
 */
export function sramEnergy(technology: Technology, path: string, part: ScratchpadPart): SramEnergy | null {
  if (technology.sram.isEmpty()) return null;
  const rows = rowsFor(technology, part);
  const scale = part.width / rows[0].width;
  return {
    read: scale * onPowerLaw(rows, capacity, (row) => row.read, part.capacity),
    write: scale * onPowerLaw(rows, capacity, (row) => row.write, part.capacity),
    note: noteOf(technology, path, part, rows),
  };
}

/**
 * The same rows give the area, which does not scale with width: the cells are most of it. A technology without access
 * energies gives it by capacity alone. Null when it knows no areas of memories either.
 */
export function sramArea(technology: Technology, path: string, part: ScratchpadPart): SramArea | null {
  if (!technology.sram.isEmpty()) {
    const rows = rowsFor(technology, part);
    const area = onPowerLaw(rows, capacity, (row) => row.area, part.capacity);
    return { area, note: noteOf(technology, path, part, rows) };
  }
  if (technology.sramAreas.isEmpty()) return null;
  const rows = bracket(technology.sramAreas, capacity, part.capacity);
  const fits = rows[0].capacity === part.capacity;
  const note = `${path}: ${technology.name} has no SRAM of ${bytes(part.capacity)}; taken from ${origin(rows, sizeOf)}`;
  return { area: onPowerLaw(rows, capacity, (row) => row.area, part.capacity), note: fits ? null : note };
}

function rowsFor(technology: Technology, part: ScratchpadPart): Bracket<SramRow> {
  const exact = technology.sram.find((row) => capacity(row) === part.capacity && isBuiltLike(row, part));
  if (exact) return [exact, exact];
  const width = nearestTo(
    part.width,
    technology.sram.map((row) => row.width),
  );
  return bracket(
    technology.sram.filter((row) => row.width === width),
    capacity,
    part.capacity,
  );
}

type Built = Readonly<Record<'width' | 'banks' | 'ports', number>>;

function isBuiltLike(row: Built, part: Built): boolean {
  return row.width === part.width && row.banks === part.banks && row.ports === part.ports;
}

function noteOf(technology: Technology, path: string, part: ScratchpadPart, rows: Bracket<SramRow>): string | null {
  const [low, high] = rows;
  if (low === high && capacity(low) === part.capacity && isBuiltLike(low, part)) return null;
  const bankings = new Set([part, low, high].map(bankingOf));
  const liberties = [
    ...(low.width === part.width ? [] : ['energy scaled linearly in width']),
    ...(bankings.size === 1 ? [] : ['banks and ports not considered']),
  ];
  const wanted = `${bytes(part.capacity)} x ${bytes(part.width)} with ${bankingOf(part)}`;
  const from = origin(rows, (row) => `${sizeOf(row)} x ${bytes(row.width)}`);
  return [`${path}: ${technology.name} has no SRAM of ${wanted}; taken from ${from}`, ...liberties].join(', ');
}

function origin<Row>([low, high]: Bracket<Row>, shown: (row: Row) => string): string {
  return low === high ? shown(low) : `a power law through ${shown(low)} and ${shown(high)}`;
}

const sizeOf = (row: SramRow | SramAreaRow): string => bytes(row.capacity);

function bankingOf({ banks, ports }: Pick<Built, 'banks' | 'ports'>): string {
  return `${banks} ${banks === 1 ? 'bank' : 'banks'} of ${ports} ${ports === 1 ? 'port' : 'ports'}`;
}
