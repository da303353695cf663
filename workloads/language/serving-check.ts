/** Whether a machine can do what a serving mapping asks of it, what its layout wastes, and whether a model fits. */
import type { Arch } from '../../arch/language/arch.ts';
import { type Diagnostic, suggest } from '../../arch/language/diagnostics.ts';
import { memoryDevice } from '../../arch/language/dram/memory.ts';
import { expandParts, mainMemory, type PlacedMemory, pimMemory } from '../../arch/language/parts.ts';
import {
  type LaidTensor,
  type Layout,
  type LoadedServingMapping,
  operatorNames,
  products,
  type ServingMapping,
} from './serving-mapping.ts';

/** Everything that a mapping asks for and the machine has not. */
export function checkServing(loaded: LoadedServingMapping, arch: Arch): Diagnostic[] {
  return [
    ...missingSides(loaded, arch),
    ...missingExperts(loaded, arch),
    ...missingScratchpad(loaded, arch),
    ...missingLevels(loaded, arch),
  ];
}

function missingSides({ mapping, place }: LoadedServingMapping, arch: Arch): Diagnostic[] {
  const memory = pimMemory(arch);
  const has = (kind: string): boolean => expandParts(arch).some(({ part }) => part.kind === kind);
  return mapping.place.toArray().flatMap(({ operators, on }, i): Diagnostic[] => {
    const at = place(['place', i, 'on']);
    if (on !== 'pim') {
      const missing = on === 'array' ? 'no array' : 'no vector unit';
      return has(on) ? [] : [{ message: `${arch.name} has ${missing}`, place: at, hint: othersOf(arch) }];
    }
    if (!memory) {
      return [
        { message: `no memory of ${arch.name} computes`, place: at, hint: 'such as one that uses dram/attacc-hbm3' },
      ];
    }
    return (operators?.toArray() ?? [])
      .filter((operator) => !computes(memory, operator))
      .map((operator) => {
        const message = `${memory.path} has no command for ${operator}`;
        return { message, place: at, hint: `${memory.part.dram?.standard.name} can do ${abilities(memory)}` };
      });
  });
}

function othersOf(arch: Arch): string {
  const kinds = new Set<string>(expandParts(arch).map(({ part }) => part.kind));
  const sides = [...['array', 'vector'].filter((kind) => kinds.has(kind)), ...(pimMemory(arch) ? ['pim'] : [])];
  return `one of ${sides.join(', ')}`;
}

/** Whether a memory's commands do what an operator, by its kind or name, needs. */
function computes({ part }: PlacedMemory, operator: string): boolean {
  const effects = part.dram?.standard.commands.toArray().flatMap(({ pim }) => (pim ? [pim] : [])) ?? [];
  if (operator === 'softmax') return effects.some(({ kind, from }) => kind === 'applies' && from === 'softmax');
  const isProduct = products.some((kind) => kind === operator) || productNames.includes(operator);
  return isProduct && effects.some(({ kind }) => kind === 'multiplies');
}

const productNames = [...operatorNames.matmul, ...operatorNames.experts];

function abilities(memory: PlacedMemory): string {
  return [...products, 'softmax'].filter((operator) => computes(memory, operator)).join(', ');
}

function missingExperts({ mapping, place }: LoadedServingMapping, arch: Arch): Diagnostic[] {
  if (mapping.experts !== 'split') return [];
  if (pimMemory(arch) && expandParts(arch).some(({ part }) => part.kind === 'array')) return [];
  const message = 'experts are split between an array and a memory that computes';
  return [{ message, place: place(['experts']), hint: `${arch.name} has not both` }];
}

function missingScratchpad({ mapping, place }: LoadedServingMapping, arch: Arch): Diagnostic[] {
  if (mapping.activations !== 'scratchpad' || expandParts(arch).some(({ part }) => part.kind === 'scratchpad'))
    return [];
  const message = `${arch.name} has no scratchpad`;
  return [{ message, place: place(['activations']), hint: 'leave activations in memory, or give it one' }];
}

function missingLevels({ mapping, place }: LoadedServingMapping, arch: Arch): Diagnostic[] {
  return [...mapping.layout].flatMap(([tensor, layout]) => {
    const memory = memoryOf(tensor, mapping, arch);
    const dram = memory?.part.dram;
    const levels = dram ? [...dram.standard.levels, 'row', 'column'] : [];
    return [...layout].flatMap(([index, at]) =>
      at
        .toArray()
        .filter((level) => !levels.includes(level))
        .map((level) => {
          const message = `${memory?.path ?? arch.name} has no level "${level}"`;
          const hint = levels.length > 0 ? suggest(level, levels) : 'a memory of DRAM has levels: use dram/hbm2';
          return { message, place: place(['layout', tensor, index]), hint };
        }),
    );
  });
}

/** The memory that a tensor lies in: the one that computes with it, else the one that engines have. */
export function memoryOf(tensor: LaidTensor, { place }: ServingMapping, arch: Arch): PlacedMemory | undefined {
  const users = tensor === 'weights' ? ['matmul', 'experts', ...productNames] : ['scores', 'context'];
  const inMemory = place.some(
    ({ operators, on }) => on === 'pim' && (operators?.some((one) => users.includes(one)) ?? true),
  );
  return (inMemory ? pimMemory(arch) : undefined) ?? mainMemory(arch);
}

/**
 * How many parts of a memory an index runs over, below the row: the nodes of its levels, each below the nearest level above
 * that the layout names, or below the channel.
 */
export function waysOf(index: string, layout: Layout, memory: PlacedMemory): number {
  const { dram } = memory.part;
  if (dram === null) return 1;
  const device = memoryDevice(dram);
  const named = new Set([...layout.values()].flatMap((levels) => levels.toArray()));
  return (layout.get(index)?.toArray() ?? []).reduce((ways, level) => {
    const at = device.levels.indexOf(level);
    if (at < 0) return ways;
    if (at === 0) return ways * memory.channels;
    const above = device.levels.findLastIndex((name, i) => i < at && (i === 0 || named.has(name)));
    return device.counts.slice(above + 1, at + 1).reduce((all, count) => all * count, ways);
  }, 1);
}

/** What a layout wastes along an index: a fraction of the banks' (or channels') time, as some have less to do than others. */
export interface LayoutLoss {
  readonly tensor: LaidTensor;
  readonly index: string;
  /** Elements along the index, and parts of the memory that share them. */
  readonly extent: number;
  readonly ways: number;
  readonly loss: number;
  /** The same as a sentence. */
  readonly message: string;
}

/** Indices whose elements do not go evenly into the parts of the memory. `extents`: elements along indices, by tensor. */
export function layoutLosses(
  mapping: ServingMapping,
  arch: Arch,
  extents: { readonly [tensor in LaidTensor]?: { readonly [index: string]: number } },
): LayoutLoss[] {
  return [...mapping.layout].flatMap(([tensor, layout]) => {
    const memory = memoryOf(tensor, mapping, arch);
    if (!memory) return [];
    return Object.entries(extents[tensor] ?? {}).flatMap(([index, extent]) => {
      const ways = waysOf(index, layout, memory);
      const loss = 1 - extent / (Math.ceil(extent / ways) * ways);
      if (loss <= 0) return [];
      const levels = layout.get(index)?.join(', ') ?? '';
      const percent = Number((100 * loss).toPrecision(2));
      const message = `${index} of ${tensor}: ${extent} over ${ways} (${levels}) leave ${percent} % of their time unused`;
      return [{ tensor, index, extent, ways, loss, message }];
    });
  });
}

/** Bytes that a device has to hold. */
export interface Footprint {
  /** Spread evenly over the channels. */
  readonly weights: number;
  /** Keys and values, by channel; a number is spread evenly. */
  readonly cache: number | readonly number[];
}

/** Why a model does not fit a device, for each memory the fullest channel; empty when it does. */
export function fits({ weights, cache }: Footprint, mapping: ServingMapping, arch: Arch): Diagnostic[] {
  const places = { weights: memoryOf('weights', mapping, arch), cache: memoryOf('keys', mapping, arch) };
  const memories = [places.weights, places.cache].filter((memory) => memory !== undefined);
  const distinct = [...new Map(memories.map((memory) => [memory.path, memory])).values()];
  return distinct.flatMap((memory): Diagnostic[] => {
    const { path, channels, part, count } = memory;
    const held = (part.capacity * count) / channels;
    const own = places.weights?.path === path ? weights / channels : 0;
    const keys = places.cache?.path === path ? cache : 0;
    const most = typeof keys === 'number' ? keys / channels : Math.max(...keys);
    const excess = own + most - held;
    if (excess <= 0) return [];
    const needs = `needs ${bytesText(own)} for weights and ${bytesText(most)} for keys and values, ${bytesText(excess)} more than the ${bytesText(held)} that it has`;
    if (own > held) {
      const least = Math.ceil(own / held);
      return [
        { message: `each channel of ${path} ${needs}`, hint: `share the weights out to ${least} devices or more` },
      ];
    }
    const which = typeof keys === 'number' ? `each channel` : `channel ${keys.indexOf(most)}`;
    return [{ message: `${which} of ${path} ${needs}`, hint: 'take fewer or shorter requests, or more devices' }];
  });
}

function bytesText(bytes: number): string {
  const power = Math.min(4, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)));
  return `${Number((bytes / 1024 ** power).toPrecision(4))} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][power]}`;
}
