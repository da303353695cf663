/** What a machine such as arch/t3.yaml says of devices in a ring. */
import type { Arch, ArrayPart, ScratchpadPart } from '../../arch/language/arch.ts';
import { InputError } from '../../arch/language/diagnostics.ts';
import { expandParts, memoriesOf, peakOperations } from '../../arch/language/parts.ts';
import type { RingMachine } from './ring.ts';

/** @throws InputError when the machine lacks what a ring is made of */
export function ringMachine(arch: Arch): RingMachine {
  const parts = expandParts(arch).map(({ part }) => part);
  const unit = parts.find((part): part is ArrayPart => part.kind === 'array');
  const cache = parts.find((part): part is ScratchpadPart => part.kind === 'scratchpad');
  const memory = memoriesOf(arch).find(({ part }) => part.model === 'ideal');
  const { link, devices } = arch;
  const macs = unit && peakOperations(arch, unit, 1).get('mac');
  if (!unit || !cache || !memory || link === null || macs === undefined) {
    const hint = 'it needs arrays that do mac, a scratchpad, an ideal memory, and a link between devices';
    throw new InputError({ message: `machine ${arch.name} is no ring of devices`, hint });
  }
  const { amount, unit: span } = memory.part.latency;
  return {
    units: unit.count,
    macsPerSecond: macs,
    cacheBytes: cache.capacity,
    devices,
    linkBandwidth: link.bandwidth,
    linkLatency: link.latency,
    memoryBandwidth: memory.part.bandwidth * memory.count,
    memoryLatency: span === 'ps' ? amount : 0,
  };
}
