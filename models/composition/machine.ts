/** The tiers of a machine's device that experts lie in, and the ways between them. */
import type { Arch } from '../../arch/language/arch.ts';
import { InputError } from '../../arch/language/diagnostics.ts';
import { mainMemory, memoriesOf, type PlacedMemory } from '../../arch/language/parts.ts';
import { tierBandwidth } from '../../arch/language/tiers.ts';
import type { Path, Way } from '../tiers/copies.ts';
import type { Tier } from '../tiers/place.ts';

export interface MemoryTier extends Tier, Way {
  readonly model: 'ideal' | 'dram';
}

/** `near` is the memory that models are computed from. */
export interface MachineTiers {
  readonly near: MemoryTier;
  /** From near to far. */
  readonly far: readonly MemoryTier[];
  /** The ways from each of the far tiers to the near one, through those between them. */
  readonly paths: readonly Path[];
}

/**
 * The memories among the tiers of a machine; where it names none, its first memory.
 * @throws InputError when nothing leads from one of them to the next, or there is none at all
 */
export function machineTiers(arch: Arch): MachineTiers {
  const memories = memoriesOf(arch);
  const named = arch.tiers.toArray().flatMap((path) => memories.find((memory) => memory.path === path) ?? []);
  const main = mainMemory(arch);
  const [near, ...far] = (named.length > 0 ? named : main ? [main] : []).map(tierOf);
  if (near === undefined)
    throw new InputError({ message: `${arch.name} has no memory`, hint: 'give it a part of kind memory' });
  const all = [near, ...far];
  const paths = far.map((from, i): Path => {
    const links = all.slice(0, i + 1).map((to, j) => wayBetween(arch, all[j + 1]?.name ?? '', to.name));
    return { from, links: links.reverse(), to: near };
  });
  return { near, far, paths };
}

function tierOf({ path, part, count }: PlacedMemory): MemoryTier {
  return {
    name: path,
    model: part.model,
    capacity: part.capacity * count,
    bandwidth: part.bandwidth * count,
    latency: part.latency.amount,
  };
}

/** What joins neighbouring tiers; latencies are those of the memories at its ends. */
function wayBetween(arch: Arch, from: string, to: string): Way {
  const bandwidth = tierBandwidth(arch, from, to);
  if (bandwidth === undefined) {
    const hint = `write "${from} <-> ${to}" among its links`;
    throw new InputError({ message: `experts cannot come from ${from}: no link of ${arch.name} leads to ${to}`, hint });
  }
  return { name: `${from} -> ${to}`, bandwidth, latency: 0 };
}
