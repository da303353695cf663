/**
 * A machine description as immutable values. Units are resolved: bytes, hertz, picoseconds; cycles stay cycles of a
 * named clock. Two equal descriptions are equal values, whatever their files looked like.
 */
import { List, Map, OrderedMap, Record } from 'immutable';
import type { DramMemory } from './dram/memory.ts';
import type { DevicePart, HostPart, PacketLinkPart, SwitchPart } from './fabric.ts';
import type { RduPart } from './rdu.ts';
import type { SsdPart } from './ssd/part.ts';
import type { Technology } from './technology.ts';

/** A rate of data: bytes per cycle of the clock of the part it belongs to, or bytes per second. */
export class Rate extends Record<{ bytes: number; per: 'cycle' | 'second' }>({ bytes: 0, per: 'cycle' }, 'Rate') {}

/** A length of time: cycles of the clock of the part it belongs to, or picoseconds. */
export class Span extends Record<{ amount: number; unit: 'cycles' | 'ps' }>({ amount: 0, unit: 'cycles' }, 'Span') {}

/**
 * What one operation costs on one PE or lane. `cycles` is the initiation interval, `depth` the cycles from start to
 * result (at least `cycles`). `exp: 6 mac` is { cycles: 6, depth: 6, action: 'mac', actions: 6 }.
 */
export class OperationCost extends Record<{ cycles: number; depth: number; action: string; actions: number }>(
  { cycles: 1, depth: 1, action: '', actions: 1 },
  'OperationCost',
) {}

export type Dataflow = 'output-stationary' | 'weight-stationary' | 'input-stationary';

/** Words held by one PE or lane: `16 x bf16`. */
export class Registers extends Record<{ words: number; dtype: string }>({ words: 0, dtype: 'bf16' }, 'Registers') {}

/** Sums and maxima along the columns or rows of an array; `latency` cycles pass per row (or column) crossed. */
export class Reduction extends Record<{ along: 'columns' | 'rows'; latency: number }>(
  { along: 'columns', latency: 1 },
  'Reduction',
) {}

/** A two-dimensional array of processing elements. */
export class ArrayPart extends Record<{
  kind: 'array';
  count: number;
  clock: string;
  rows: number;
  columns: number;
  dataflow: Dataflow;
  /** How operands reach the PEs: skewed in at the edges (systolic), or to a whole row or column at once (broadcast). */
  feed: 'systolic' | 'broadcast';
  /**
   * How much of a fold may pass while its predecessor is still in the array: nothing; the load of its stationary operand,
   * into a second register of each PE; what can while the predecessor only drains, with one register; or all.
   */
  overlap: 'none' | 'preload' | 'drain' | 'full';
  /** Whether it passes over the zeros of an operand with N:M structured sparsity. */
  sparsity: 'none' | 'structured';
  operations: Map<string, OperationCost>;
  reduce: Reduction | null;
  registers: Registers | null;
  /** Port widths: operands in, results out. Null: as wide as the links. */
  input: Rate | null;
  output: Rate | null;
}>(
  {
    kind: 'array',
    count: 1,
    clock: '',
    rows: 1,
    columns: 1,
    dataflow: 'output-stationary',
    feed: 'systolic',
    overlap: 'full',
    sparsity: 'none',
    operations: Map(),
    reduce: null,
    registers: null,
    input: null,
    output: null,
  },
  'ArrayPart',
) {}

/** A one-dimensional array of lanes. */
export class VectorPart extends Record<{
  kind: 'vector';
  count: number;
  clock: string;
  lanes: number;
  operations: Map<string, OperationCost>;
  registers: Registers | null;
  input: Rate | null;
  output: Rate | null;
}>(
  {
    kind: 'vector',
    count: 1,
    clock: '',
    lanes: 1,
    operations: Map(),
    registers: null,
    input: null,
    output: null,
  },
  'VectorPart',
) {}

/** What a scratchpad is for: the first operand of a product, the second, results with their partial sums. */
export const contents = ['inputs', 'weights', 'results'] as const;
export type Content = (typeof contents)[number];

/** On-chip memory under software control: `banks` x `ports` accesses of `width` bytes per cycle. */
export class ScratchpadPart extends Record<{
  kind: 'scratchpad';
  count: number;
  clock: string;
  capacity: number;
  banks: number;
  ports: number;
  width: number;
  latency: Span;
  holds: List<Content>;
  /**
   * How what a fold takes of a tensor lies in it: its last index, or its first, runs along a line of `width` bytes, and
   * lines go round the banks. Null: every access finds its bank free.
   */
  layout: 'row-major' | 'column-major' | null;
}>(
  {
    kind: 'scratchpad',
    count: 1,
    clock: '',
    capacity: 0,
    banks: 1,
    ports: 1,
    width: 1,
    latency: new Span(),
    holds: List(contents),
    layout: null,
  },
  'ScratchpadPart',
) {}

/**
 * Main memory. Model `ideal`: a bandwidth, and a latency per transfer. Model `dram`: a standard's banks and commands,
 * whose peak bandwidth and capacity follow from it; the latency is that of the way between them and what asks.
 */
export class MemoryPart extends Record<{
  kind: 'memory';
  count: number;
  model: 'ideal' | 'dram';
  bandwidth: number;
  latency: Span;
  capacity: number;
  /** Row of the technology's table that gives energy per bit; null when the technology has none for it. */
  technology: string | null;
  /** Null in model `ideal`. */
  dram: DramMemory | null;
}>(
  {
    kind: 'memory',
    count: 1,
    model: 'ideal',
    bandwidth: 0,
    latency: new Span(),
    capacity: 0,
    technology: null,
    dram: null,
  },
  'MemoryPart',
) {}

/** Moves tensors between memories: one stream per tensor, `setup` before each transfer. */
export class DmaPart extends Record<{
  kind: 'dma';
  count: number;
  clock: string;
  setup: Span;
  /** Its own limit; null: as fast as what it joins. */
  bandwidth: Rate | null;
}>({ kind: 'dma', count: 1, clock: '', setup: new Span(), bandwidth: null }, 'DmaPart') {}

/** A wire bundle that a link names with `via`. */
export class LinkPart extends Record<{
  kind: 'link';
  count: number;
  clock: string;
  bandwidth: Rate | null;
  latency: Span;
}>({ kind: 'link', count: 1, clock: '', bandwidth: null, latency: new Span() }, 'LinkPart') {}

/** Parts that are repeated together, such as a core. */
export class GroupPart extends Record<{ kind: 'group'; count: number; parts: OrderedMap<string, Part> }>(
  { kind: 'group', count: 1, parts: OrderedMap() },
  'GroupPart',
) {}

/** What joins hosts, devices and memories, packet by packet. */
export type FabricPart = PacketLinkPart | SwitchPart | DevicePart | HostPart;

export type Part =
  | ArrayPart
  | VectorPart
  | ScratchpadPart
  | MemoryPart
  | RduPart
  | DmaPart
  | LinkPart
  | SsdPart
  | FabricPart
  | GroupPart;
export type Engine = ArrayPart | VectorPart;

/** A way for data between two parts, each named by its path: `core.array`. */
export class Link extends Record<{
  from: string;
  to: string;
  /** Data may flow both ways, each at the full rate. */
  both: boolean;
  /** Path of the dma or link part it runs over; null for plain wires. `dma` with no such part is a plain DMA. */
  via: string | null;
  /**
   * Null: as fast as the parts it joins. Per cycle of the engine's clock at its end, else of the scratchpad's.
   * Where an end has a count, for each of them.
   */
  bandwidth: Rate | null;
}>({ from: '', to: '', both: false, via: null, bandwidth: null }, 'Link') {}

/**
 * What joins equal devices, or nodes of them: bytes per second that each sends while it receives as many, whoever the
 * others are, and picoseconds from the first byte sent until it is there.
 */
export class PeerLink extends Record<{ bandwidth: number; latency: number }>(
  { bandwidth: 0, latency: 0 },
  'PeerLink',
) {}

export class Arch extends Record<{
  name: string;
  about: string;
  source: string;
  technology: Technology | null;
  /** Equal devices of a node, of which the parts describe one. */
  devices: number;
  /** Between devices of a node; null where there is but one. */
  link: PeerLink | null;
  /** Equal nodes. */
  nodes: number;
  /** Between nodes; each device sends and receives so much. Null where there is but one. */
  network: PeerLink | null;
  /** Hertz, by name. */
  clocks: OrderedMap<string, number>;
  parts: OrderedMap<string, Part>;
  links: List<Link>;
  /** Paths of the parts that hold tensors, from near to far, each joined to the next by a link; empty where that is all one. */
  tiers: List<string>;
}>(
  {
    name: '',
    about: '',
    source: '',
    technology: null,
    devices: 1,
    link: null,
    nodes: 1,
    network: null,
    clocks: OrderedMap(),
    parts: OrderedMap(),
    links: List(),
    tiers: List(),
  },
  'Arch',
) {}
