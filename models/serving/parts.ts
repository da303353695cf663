/** The parts of one device that operators of language models run on. */
import type { Arch, ArrayPart, MemoryPart, VectorPart } from '../../arch/language/arch.ts';
import { InputError } from '../../arch/language/diagnostics.ts';
import type { DramMemory } from '../../arch/language/dram/memory.ts';
import { type Site, Topology } from '../binding/topology.ts';

export interface DeviceParts {
  /** The first of each kind; null where the machine has none. */
  readonly array: Site<ArrayPart> | null;
  readonly vector: Site<VectorPart> | null;
  readonly memory: Site<MemoryPart>;
  readonly dram: DramMemory;
  /** Bytes of all scratchpads together. */
  readonly scratchpad: number;
}

/** @throws InputError when the machine has no memory of DRAM */
export function devicePartsOf(arch: Arch): DeviceParts {
  const { engines, memories, pads } = new Topology(arch);
  const [memory] = memories;
  const dram = memory?.part.dram;
  if (!memory || !dram) {
    throw new InputError({
      message: `${arch.name} has no memory of DRAM to serve a language model from`,
      hint: 'give it one, such as "hbm: { kind: memory, use: dram/hbm2, channels: 8 }"',
    });
  }
  const arrays = engines.filter((site): site is Site<ArrayPart> => site.part.kind === 'array');
  const vectors = engines.filter((site): site is Site<VectorPart> => site.part.kind === 'vector');
  return {
    array: arrays[0] ?? null,
    vector: vectors[0] ?? null,
    memory,
    dram,
    scratchpad: pads.reduce((sum, { part }) => sum + part.capacity * part.count, 0),
  };
}
