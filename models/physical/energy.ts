/** Energy: what happened, times what each of it costs. Dynamic energy only: no leakage, no clock tree, no wires. */
import type { Map as ImmutableMap } from 'immutable';
import type { Arch, Engine, MemoryPart, OperationCost, ScratchpadPart } from '../../arch/language/arch.ts';
import type { DramDevice } from '../../arch/language/dram/device.ts';
import { costOf } from '../../arch/language/operations.ts';
import { expandParts } from '../../arch/language/parts.ts';
import type { Technology } from '../../arch/language/technology.ts';
import { type DramActivity, dramEnergy } from './dram.ts';
import { registerFile } from './registers.ts';
import { sramEnergy } from './sram.ts';
import { missingNote, noTechnologyNote, wordScale, wordScaleNote } from './units.ts';

/** What happened, counted; all copies of a part together. */
export interface Activity {
  /** Unit actions by engine path: { array: { mac: n, max: n } }. */
  readonly units: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Register words read and written by engine path. */
  readonly registers: ReadonlyMap<string, { readonly reads: number; readonly writes: number }>;
  /** Bytes by memory or scratchpad path; those of dmas and links cost nothing and are passed over. */
  readonly memories: ReadonlyMap<string, MemoryActivity>;
}

export interface MemoryActivity {
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** What only DRAM has. */
  readonly dram?: { readonly device: DramDevice; readonly activity: DramActivity };
}

export interface Energy {
  /** Joules. */
  total: number;
  /** Joules by part path and action: a unit's name, `register read`, `register write`, `read`, `write`, commands of DRAM. */
  by: { [part: string]: { [action: string]: number } };
  /** What the technology does not know, and what was done about it. */
  notes: string[];
}

/**
 * Joules of an activity on a machine:
 * - a unit's action: its row's energy, linearly in the bits of a word;
 * - a register word: see `registerFile`;
 * - bytes of a scratchpad: bytes / width accesses, see `sramEnergy`;
 * - a memory of DRAM whose currents are known: see `dramEnergy`;
 * - bytes of another memory: bits x the energy per bit of the row that the part names.
 * What has no row counts as nothing, and a note says so.
 * @throws Error on actions of an engine that the machine does not have.
 */
export function energyOf(arch: Arch, activity: Activity): Energy {
  const { technology } = arch;
  if (technology === null) return { total: 0, by: {}, notes: [noTechnologyNote(arch)] };
  const meter = new Meter(technology, activity);
  const parts = expandParts(arch);
  for (const path of [...activity.units.keys(), ...activity.registers.keys()]) {
    if (!parts.some((part) => part.path === path)) throw new Error(`${arch.name} has no engine "${path}"`);
  }
  for (const { path, part } of parts) {
    if (part.kind === 'array' || part.kind === 'vector') {
      meter.readUnits(path, part);
      meter.readRegisters(path, part);
    } else if (part.kind === 'scratchpad') meter.readScratchpad(path, part);
    else if (part.kind === 'memory') meter.readMemory(path, part);
  }
  return { total: meter.total, by: meter.by, notes: meter.notes };
}

/**
 * Unit actions of one point of an einsum on an engine: `exp` is 6 `mac` where the engine says `exp: 6 mac`.
 * @throws Error on an operator that the engine cannot do, which a bound program never asks of it.
 */
export function operationActions(
  operations: ImmutableMap<string, OperationCost>,
  operatorsPerPoint: ReadonlyMap<string, number>,
): Map<string, number> {
  const actions = new Map<string, number>();
  for (const [operator, count] of operatorsPerPoint) {
    const cost = costOf(operations, operator);
    if (!cost) throw new Error(`the engine has no operation "${operator}"`);
    actions.set(cost.action, (actions.get(cost.action) ?? 0) + count * cost.actions);
  }
  return actions;
}

class Meter {
  readonly by: Energy['by'] = {};
  readonly notes: string[] = [];
  total = 0;
  readonly #technology: Technology;
  readonly #activity: Activity;

  constructor(technology: Technology, activity: Activity) {
    this.#technology = technology;
    this.#activity = activity;
  }

  readUnits(path: string, engine: Engine): void {
    const scale = wordScale(this.#technology, engine);
    const missing: string[] = [];
    let found = false;
    for (const [action, count] of this.#activity.units.get(path) ?? []) {
      const row = this.#technology.units.get(action);
      this.#charge(path, action, count, scale * (row?.energy ?? 0));
      if (count > 0 && row) found = true;
      else if (count > 0) missing.push(action);
    }
    if (found && scale !== 1) this.notes.push(wordScaleNote(this.#technology, path, engine));
    if (missing.length > 0) this.#missing(path, missing.sort().join(', '));
  }

  readRegisters(path: string, { registers }: Engine): void {
    const words = this.#activity.registers.get(path);
    if (!words || words.reads + words.writes === 0) return;
    const file = registers && registerFile(this.#technology, path, registers);
    this.#charge(path, 'register read', words.reads, file?.read ?? 0);
    this.#charge(path, 'register write', words.writes, file?.write ?? 0);
    if (!registers)
      this.notes.push(`${path}: names no registers, counted as 0 J; add them, such as "registers: 16 x bf16"`);
    else if (!file) this.#missing(path, 'registers');
    else if (file.note) this.notes.push(file.note);
  }

  readScratchpad(path: string, part: ScratchpadPart): void {
    const moved = this.#activity.memories.get(path);
    if (!moved || moved.bytesRead + moved.bytesWritten === 0) return;
    const access = sramEnergy(this.#technology, path, part);
    this.#charge(path, 'read', moved.bytesRead / part.width, access?.read ?? 0);
    this.#charge(path, 'write', moved.bytesWritten / part.width, access?.write ?? 0);
    if (!access) this.#missing(path, 'an SRAM access');
    else if (access.note) this.notes.push(access.note);
  }

  readMemory(path: string, { technology: name }: MemoryPart): void {
    const moved = this.#activity.memories.get(path);
    if (moved?.dram && this.#readDram(path, moved.dram)) return;
    if (!moved || moved.bytesRead + moved.bytesWritten === 0) return;
    const row = name === null ? undefined : this.#technology.memory.get(name);
    this.#charge(path, 'read', moved.bytesRead * 8, row?.perBit ?? 0);
    this.#charge(path, 'write', moved.bytesWritten * 8, row?.perBit ?? 0);
    if (row) return;
    if (name !== null) this.#missing(path, `a bit of ${name}`);
    else
      this.notes.push(`${path}: names no row of energy per bit, counted as 0 J; add one, such as "technology: HBM2"`);
  }

  /** False when its currents are not known. */
  #readDram(path: string, { device, activity }: NonNullable<MemoryActivity['dram']>): boolean {
    const spent = dramEnergy(device, activity);
    if (spent === null) return false;
    for (const [action, joules] of Object.entries(spent.by)) this.#charge(path, action, joules > 0 ? 1 : 0, joules);
    this.notes.push(...spent.notes.map((note) => `${path}: ${note}`));
    return true;
  }

  #charge(path: string, action: string, count: number, joules: number): void {
    if (count === 0) return;
    this.by[path] ??= {};
    this.by[path][action] = count * joules;
    this.total += count * joules;
  }

  #missing(path: string, what: string): void {
    this.notes.push(missingNote(path, this.#technology, what, 'energy'));
  }
}
