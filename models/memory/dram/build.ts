/** The clocked memory of a part of a machine. */
import type { MemoryPart } from '../../../arch/language/arch.ts';
import { InputError } from '../../../arch/language/diagnostics.ts';
import type { DramDevice } from '../../../arch/language/dram/device.ts';
import { type AddressMapping, compileMapping, MappingError } from '../../../arch/language/dram/mapping.ts';
import { type DramMemory, memoryDevice } from '../../../arch/language/dram/memory.ts';
import { Dram } from './memory.ts';
import { type ControllerPolicy, pagePolicyOf } from './policy.ts';

/**
 * `bytesPerSecond` is the peak of all copies of the part, which lie side by side as channels.
 * @throws InputError when addresses cannot be laid out as it says.
 */
export function buildDram(path: string, part: MemoryPart, choice: DramMemory, bytesPerSecond: number): Dram {
  const device = memoryDevice(choice);
  const channels = choice.channels * part.count;
  const mapping = mappingOf(path, choice, device, channels);
  return new Dram(path, { device, policy: policyOf(choice, device), mapping, channels, bytesPerSecond });
}

function mappingOf(path: string, choice: DramMemory, device: DramDevice, channels: number): AddressMapping {
  try {
    return compileMapping(choice.mapping, device, channels);
  } catch (error) {
    if (error instanceof MappingError) throw new InputError({ message: `${path}: ${error.message}`, hint: error.hint });
    throw error;
  }
}

function policyOf({ scheduler, page, refreshes, queues }: DramMemory, device: DramDevice): ControllerPolicy {
  return {
    scheduler,
    page: pagePolicyOf(page, device),
    refresh: refreshes,
    readQueue: queues.reads,
    writeQueue: queues.writes,
    writeLow: queues.low,
    writeHigh: queues.high,
  };
}
