/** What a host is joined to: its own memories, memories behind links, and devices, over switches if need be. */
import type { Arch, MemoryPart, Part } from '../../arch/language/arch.ts';
import { InputError } from '../../arch/language/diagnostics.ts';
import type { DevicePart, HostPart, PacketLinkPart, SwitchPart } from '../../arch/language/fabric.ts';
import { partAt } from '../../arch/language/parts.ts';

/** A link of the machine, one of those that a count makes of it. */
export interface Hop {
  /** As results call it: `pcie gpu[1]`. */
  readonly name: string;
  readonly link: PacketLinkPart;
  /** At its end away from the host; null: a device or a memory is there. */
  readonly switch: { readonly name: string; readonly part: SwitchPart } | null;
}

export interface MemorySite {
  readonly name: string;
  readonly part: MemoryPart;
  /** Null: the host's own. */
  readonly link: Hop | null;
}

export interface DeviceSite {
  readonly name: string;
  readonly part: DevicePart;
  /** From the host to it. */
  readonly way: readonly Hop[];
}

export interface HostTopology {
  readonly name: string;
  readonly host: HostPart;
  readonly memories: readonly MemorySite[];
  readonly devices: readonly DeviceSite[];
}

/** `gpu`, or of several `gpu[0]`, `gpu[1]`. */
export function copiesOf(name: string, count: number): string[] {
  return count === 1 ? [name] : Array.from({ length: count }, (_, i) => `${name}[${i}]`);
}

/** @throws InputError when the machine has no host, or joins something to it that cannot be */
export function hostTopology(arch: Arch): HostTopology {
  const hosts = [...arch.parts].flatMap(([name, part]) => (part.kind === 'host' ? [{ name, host: part }] : []));
  const only = hosts[0];
  if (hosts.length !== 1 || !only || only.host.count !== 1) {
    const message = `machine ${arch.name} has ${hosts.length === 0 ? 'no host' : 'several hosts'}`;
    throw new InputError({ message, hint: 'copies and loops need one part of kind host, such as that of cxl-host' });
  }
  const found: Found = { memories: [], devices: [] };
  walk(arch, only.name, [], '', found);
  return { ...only, ...found };
}

interface Found {
  readonly memories: MemorySite[];
  readonly devices: DeviceSite[];
}

function walk(arch: Arch, from: string, way: readonly Hop[], before: string, found: Found): void {
  for (const { from: a, to: b, via } of arch.links) {
    const end = a === from ? b : b === from ? a : null;
    if (end === null || end === before) continue;
    const part = partAt(arch, end);
    if (part) reach(arch, { from, end, part, link: via === null ? null : packetLink(arch, via, end) }, way, found);
  }
}

interface Step {
  readonly from: string;
  readonly end: string;
  readonly part: Part;
  readonly link: { readonly name: string; readonly part: PacketLinkPart } | null;
}

function packetLink(arch: Arch, via: string, end: string): Step['link'] {
  const part = partAt(arch, via);
  if (part?.kind === 'packet-link') return { name: via, part };
  throw new InputError({
    message: `the link to ${end} runs over "${via}", which is no packet-link`,
    hint: 'name a part that uses one of link/, or leave "via" out for a memory of the host',
  });
}

function reach(arch: Arch, { from, end, part, link }: Step, way: readonly Hop[], found: Found): void {
  if (part.kind === 'memory') {
    if (part.model !== 'ideal') {
      const hint = 'give it a bandwidth, a latency and a capacity';
      throw new InputError({ message: `memory ${end} of the host is of DRAM, where copies need an ideal one`, hint });
    }
    if (way.length > 0)
      throw new InputError({ message: `memory ${end} is behind a switch; join it to the host itself` });
    checkMemoryLink(end, link);
    for (const name of copiesOf(end, part.count)) {
      const hop = link && { name: `${link.name} ${name}`, link: link.part, switch: null };
      found.memories.push({ name, part, link: hop });
    }
    return;
  }
  if (part.kind !== 'device' && part.kind !== 'switch')
    throw new InputError({ message: `${end} is of kind ${part.kind}, which cannot be joined to a host` });
  if (!link) throw new InputError({ message: `the link to ${end} has no "via"`, hint: 'name a packet-link' });
  for (const name of copiesOf(end, part.count)) {
    const isSwitch = part.kind === 'switch';
    const hop: Hop = { name: `${link.name} ${name}`, link: link.part, switch: isSwitch ? { name, part } : null };
    if (part.kind === 'device') found.devices.push({ name, part, way: [...way, hop] });
    else walk(arch, end, [...way, hop], from, found);
  }
}

function checkMemoryLink(end: string, link: Step['link']): void {
  if (link === null || link.part.messages.has('done')) return;
  throw new InputError({
    message: `${link.name} cannot join memory ${end}: its writes are not acknowledged`,
    hint: 'use a link to memory, such as link/cxl-2-x16, or make it a device',
  });
}
