/** Area of engines and scratchpads: proxies for comparing machines, without control, wires, dmas or pads. */
import type { Arch, Engine, ScratchpadPart } from '../../arch/language/arch.ts';
import { expandParts } from '../../arch/language/parts.ts';
import type { Technology } from '../../arch/language/technology.ts';
import { registerFile } from './registers.ts';
import { sramArea } from './sram.ts';
import { missingNote, noTechnologyNote, wordScale, wordScaleNote } from './units.ts';

export interface Area {
  /** mm2. */
  total: number;
  /** mm2 by part path, all copies together; parts of which nothing is known are left out. */
  by: { [part: string]: number };
  /** What the technology does not know, and what was done about it. */
  notes: string[];
}

interface Sized {
  readonly area: number;
  readonly notes: readonly string[];
}

/**
 * mm2 of a machine's engines and scratchpads; main memories are other chips.
 * A PE or lane has a unit for each distinct action of its operations (`exp: 6 mac` adds none) and its registers.
 */
export function areaOf(arch: Arch): Area {
  const { technology } = arch;
  if (technology === null) return { total: 0, by: {}, notes: [noTechnologyNote(arch)] };
  const result: Area = { total: 0, by: {}, notes: [] };
  for (const { path, part, count } of expandParts(arch)) {
    const one =
      part.kind === 'array' || part.kind === 'vector'
        ? engineArea(technology, path, part)
        : part.kind === 'scratchpad'
          ? scratchpadArea(technology, path, part)
          : { area: 0, notes: [] };
    result.notes.push(...one.notes);
    if (one.area === 0) continue;
    result.by[path] = one.area * count;
    result.total += one.area * count;
  }
  return result;
}

function engineArea(technology: Technology, path: string, engine: Engine): Sized {
  const notes: string[] = [];
  // Sorted, as equal maps may iterate in different orders.
  const actions = [...new Set(engine.operations.valueSeq().map((cost) => cost.action))].sort();
  const rows = actions.map((action) => ({
    action,
    area: technology.units.get(action)?.area ?? technology.areas.get(action)?.area,
  }));
  const missing = rows.filter(({ area }) => area === undefined).map(({ action }) => action);
  const scale = wordScale(technology, engine);
  if (scale !== 1 && missing.length < rows.length) notes.push(wordScaleNote(technology, path, engine));
  const file = engine.registers && registerFile(technology, path, engine.registers);
  if (file?.note) notes.push(file.note);
  if (engine.registers && !file) missing.push('registers');
  if (missing.length > 0) notes.push(missingNote(path, technology, missing.join(', '), 'area'));
  const units = rows.reduce((sum, { area = 0 }) => sum + area, 0);
  const lanes = engine.kind === 'array' ? engine.rows * engine.columns : engine.lanes;
  return { area: lanes * (scale * units + (file?.area ?? 0)), notes };
}

function scratchpadArea(technology: Technology, path: string, part: ScratchpadPart): Sized {
  const sram = sramArea(technology, path, part);
  if (!sram) return { area: 0, notes: [missingNote(path, technology, 'an SRAM', 'area')] };
  return { area: sram.area, notes: sram.note ? [sram.note] : [] };
}
