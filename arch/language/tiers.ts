/** `tiers: [rdu, hbm, ddr]`: which parts hold tensors, from near to far, and what joins them. */
import type { Arch, Link, Part } from './arch.ts';
import { type Diagnostic, suggest } from './diagnostics.ts';
import { linkBandwidth, partAt } from './parts.ts';
import type { Places } from './source.ts';

/** Whether tensors can stay in it. */
function holds(part: Part): boolean {
  return part.kind === 'memory' || part.kind === 'rdu' || part.kind === 'scratchpad';
}

/** Bytes that one part of a tier holds. @throws Error when it is none, which the loader does not let through */
export function tierCapacity(arch: Arch, path: string): number {
  const part = partAt(arch, path);
  if (part?.kind !== 'memory' && part?.kind !== 'rdu' && part?.kind !== 'scratchpad')
    throw new Error(`${path} is no tier`);
  return part.capacity * part.count;
}

/** Bytes per second from one tier to another that a link joins; undefined where none does, or none that way. */
export function tierBandwidth(arch: Arch, from: string, to: string): number | undefined {
  const link = arch.links.find((one) => joins(one, from, to) && (one.from === from || one.both));
  return link && linkBandwidth(arch, link, link.from !== from);
}

function joins({ from, to }: Link, a: string, b: string): boolean {
  return (from === a && to === b) || (from === b && to === a);
}

/** What is wrong with the tiers of a machine. */
export function wrongTiers(arch: Arch, places: Places): Diagnostic[] {
  const names = arch.tiers.toArray();
  return names.flatMap((name, i): Diagnostic[] => {
    const place = places.placeOf(['tiers', i]);
    const part = partAt(arch, name);
    if (!part) return [{ message: `there is no part "${name}"`, place, hint: suggest(name, arch.parts.keys()) }];
    if (!holds(part)) return [{ message: `"${name}" is of kind ${part.kind}, which holds no tensors`, place }];
    if (names.indexOf(name) < i) return [{ message: `"${name}" is a tier already`, place, hint: 'remove one of them' }];
    const before = names[i - 1];
    if (before === undefined || arch.links.some((link) => joins(link, before, name))) return [];
    const hint = `write "${name} <-> ${before}" among the links`;
    return [{ message: `no link joins the tiers ${before} and ${name}`, place, hint }];
  });
}
