/** One RDU and what it reaches: its memory, and the other devices of its node. */
import type { Arch, MemoryPart, PeerLink, Rate, Span } from '../../arch/language/arch.ts';
import { InputError } from '../../arch/language/diagnostics.ts';
import { clockOf, partAt, rduOf } from '../../arch/language/parts.ts';
import type { RduPart } from '../../arch/language/rdu.ts';
import { tierBandwidth } from '../../arch/language/tiers.ts';

export interface RduDevice {
  readonly arch: Arch;
  readonly path: string;
  readonly part: RduPart;
  readonly clock: string;
  readonly hertz: number;
  /** Where its AGCUs stream from and to: the nearest memory, and bytes per second on the way there. */
  readonly memory: { readonly path: string; readonly part: MemoryPart; readonly bandwidth: number };
  readonly link: PeerLink | null;
}

/** @throws InputError when the machine has no RDU, or none that a link joins to a memory */
export function rduDevice(arch: Arch): RduDevice {
  const rdu = rduOf(arch);
  if (rdu === undefined) {
    throw new InputError({ message: `${arch.name} has no RDU to run a dataflow graph on`, hint: 'such as sn40l' });
  }
  const { path, part } = rdu;
  const { name, hertz } = clockOf(arch, part);
  const joined = [...arch.tiers, ...arch.links.flatMap(({ from, to }) => [from, to])];
  for (const other of joined) {
    const memory = partAt(arch, other);
    const bandwidth = tierBandwidth(arch, other, path);
    if (memory?.kind !== 'memory' || bandwidth === undefined) continue;
    return { arch, path, part, clock: name, hertz, memory: { path: other, part: memory, bandwidth }, link: arch.link };
  }
  throw new InputError({
    message: `no link joins ${path} to a memory`,
    hint: `write "hbm <-> ${path}" among the links`,
  });
}

/** Cycles of its clock, rounded up; at least 0. */
export function cyclesOf({ hertz }: Pick<RduDevice, 'hertz'>, span: Span): number {
  return span.unit === 'cycles' ? span.amount : cyclesOfPs(hertz, span.amount);
}

export function cyclesOfPs(hertz: number, ps: number): number {
  return Math.ceil((ps * hertz) / 1e12);
}

/** Bytes per cycle of its clock. */
export function perCycle({ hertz }: Pick<RduDevice, 'hertz'>, rate: Rate): number {
  return rate.per === 'cycle' ? rate.bytes : rate.bytes / hertz;
}
