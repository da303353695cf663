/** Questions about a machine: its parts by path, their clocks, and what they can do in a second. */
import type { Map } from 'immutable';
import type { Arch, Engine, GroupPart, Link, MemoryPart, Part, Rate, ScratchpadPart } from './arch.ts';
import type { DevicePart, PacketLinkPart, SwitchPart } from './fabric.ts';
import type { RduPart } from './rdu.ts';
import type { SsdPart } from './ssd/part.ts';

export type LeafPart = Exclude<Part, GroupPart>;
export type ClockedPart = Exclude<LeafPart, MemoryPart | SsdPart | PacketLinkPart | SwitchPart | DevicePart>;

export interface PlacedPart {
  /** Names from the outermost group in, joined by dots: `core.array`. */
  readonly path: string;
  readonly part: LeafPart;
  /** How many there are in the machine: its own count times those of the groups around it. */
  readonly count: number;
}

/** Every part that is no group, in the order of the file. */
export function expandParts(arch: Arch): PlacedPart[] {
  return expand(arch.parts, '', 1);
}

function expand(parts: Arch['parts'], prefix: string, count: number): PlacedPart[] {
  return [...parts].flatMap(([name, part]): PlacedPart[] => {
    const path = `${prefix}${name}`;
    const all = count * part.count;
    return part.kind === 'group' ? expand(part.parts, `${path}.`, all) : [{ path, part, count: all }];
  });
}

/** The part at a path such as `core.array`; undefined when there is none. */
export function partAt(arch: Arch, path: string): Part | undefined {
  let parts: Arch['parts'] | undefined = arch.parts;
  let part: Part | undefined;
  for (const name of path.split('.')) {
    part = parts?.get(name);
    parts = part?.kind === 'group' ? part.parts : undefined;
  }
  return part;
}

/** A main memory, all copies of it together. */
export interface PlacedMemory {
  readonly path: string;
  readonly part: MemoryPart;
  readonly count: number;
  /** Channels of all copies; of an ideal memory, one for each copy. */
  readonly channels: number;
}

/** The main memories, in the order of the file. */
export function memoriesOf(arch: Arch): PlacedMemory[] {
  return expandParts(arch).flatMap(({ path, part, count }) =>
    part.kind === 'memory' ? [{ path, part, count, channels: count * (part.dram?.channels ?? 1) }] : [],
  );
}

/** The first RDU; undefined when there is none. */
export function rduOf(arch: Arch): { readonly path: string; readonly part: RduPart } | undefined {
  return expandParts(arch).flatMap(({ path, part }) => (part.kind === 'rdu' ? [{ path, part }] : []))[0];
}

/** The first memory that computes; undefined when none does. */
export function pimMemory(arch: Arch): PlacedMemory | undefined {
  return memoriesOf(arch).find(({ part }) => part.dram !== null && part.dram.pim !== null);
}

/** Where engines have what they work on: the first memory that does not compute, else the first one. */
export function mainMemory(arch: Arch): PlacedMemory | undefined {
  const all = memoriesOf(arch);
  return all.find(({ part }) => part.dram === null || part.dram.pim === null) ?? all[0];
}

/** Clock of a part. @throws Error when the machine lacks it, which a loaded one does not. */
export function clockOf(arch: Arch, part: ClockedPart): { readonly name: string; readonly hertz: number } {
  const hertz = arch.clocks.get(part.clock);
  if (hertz === undefined) throw new Error(`there is no clock "${part.clock}"`);
  return { name: part.clock, hertz };
}

/** PEs or lanes of one engine. */
function lanes(engine: Engine): number {
  return engine.kind === 'array' ? engine.rows * engine.columns : engine.lanes;
}

/**
 * Operations per second of `count` engines, by operation: count x PEs x clock / cycles. Only operations that the
 * engine names; `costOf` tells which others they can do.
 */
export function peakOperations(arch: Arch, engine: Engine, count: number = engine.count): Map<string, number> {
  const { hertz } = clockOf(arch, engine);
  return engine.operations.map((cost) => (count * lanes(engine) * hertz) / cost.cycles);
}

/** Multiply-adds per second of `count` RDUs: every functional unit of every PCU does one in a cycle. */
export function rduPeak(arch: Arch, rdu: RduPart, count: number = rdu.count): number {
  const { lanes, stages, operations } = rdu.pcu;
  const cycles = operations.get('mac')?.cycles ?? Number.POSITIVE_INFINITY;
  return (count * rdu.pcus * lanes * stages * clockOf(arch, rdu).hertz) / cycles;
}

/** Bytes per second of a rate at a clock. */
export function bytesPerSecond(rate: Rate, hertz: number): number {
  return rate.per === 'second' ? rate.bytes : rate.bytes * hertz;
}

/** Bytes per second of one scratchpad: an access of `width` bytes by every port of every bank in every cycle. */
export function scratchpadBandwidth(arch: Arch, part: ScratchpadPart): number {
  return part.banks * part.ports * part.width * clockOf(arch, part).hertz;
}

/**
 * Bytes per second of a link from its first to its second part, or `back`, for one of the parts at its ends: the least
 * of its own rate, its dma's or wires', and what its ends can give and take. A rate per cycle is of the clock of the
 * engine at its end, else of the scratchpad's. Infinity when nothing limits it.
 */
export function linkBandwidth(arch: Arch, link: Link, back = false): number {
  const from = partAt(arch, back ? link.to : link.from);
  const to = partAt(arch, back ? link.from : link.to);
  const ends = [from, to].filter((part) => part !== undefined);
  const via = link.via === null ? undefined : partAt(arch, link.via);
  const limits = ends.flatMap((part) => endBandwidths(arch, part, part === from));
  if (link.bandwidth) limits.push(bytesPerSecond(link.bandwidth, linkHertz(arch, ends)));
  if (via && (via.kind === 'dma' || via.kind === 'link') && via.bandwidth) {
    limits.push(bytesPerSecond(via.bandwidth, clockOf(arch, via).hertz));
  }
  return Math.min(...limits);
}

function linkHertz(arch: Arch, ends: readonly Part[]): number {
  const engine = ends.find((part) => part.kind === 'array' || part.kind === 'vector' || part.kind === 'rdu');
  const clocked = engine ?? ends.find((part) => part.kind === 'scratchpad');
  // Between two main memories there is no clock: `load` lets no rate per cycle through.
  return clocked ? clockOf(arch, clocked).hertz : Number.NaN;
}

function endBandwidths(arch: Arch, part: Part, source: boolean): number[] {
  switch (part.kind) {
    case 'memory':
      return [part.bandwidth];
    case 'scratchpad':
      return [scratchpadBandwidth(arch, part)];
    case 'array':
    case 'vector': {
      const port = source ? part.output : part.input;
      return port ? [bytesPerSecond(port, clockOf(arch, part).hertz)] : [];
    }
    case 'rdu':
      return [part.agcu.count * bytesPerSecond(part.agcu.width, clockOf(arch, part).hertz)];
    default:
      return [];
  }
}
