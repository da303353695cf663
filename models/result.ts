/** What a run reports: plain JSON, the only thing that reports see. Seconds, bytes, bytes/s, joules; areas in mm2. */

export const resultSchema = 'clockwright/result@1';

/** Cycles of an engine's clock. busy + waitInput + waitOutput + waitMemory + idle is the length of the run. */
export interface EngineResult {
  name: string;
  kind: 'array' | 'vector' | 'dma' | 'pim';
  clock: string;
  /** Length of the run in cycles of this engine's clock. */
  cycles: number;
  busy: number;
  waitInput: number;
  waitOutput: number;
  waitMemory: number;
  idle: number;
  /** busy / cycles. */
  utilization: number;
  /** Operations done, all PEs or lanes together: an `exp` is one operation. */
  ops: number;
  /** Peak operations per second of the cheapest operation. */
  peakOps: number;
  /** What it waited for, longest first: the tensor, the part that it comes from or goes to, and how long. */
  waits: { reason: 'input' | 'output' | 'memory'; tensor: string; part: string; cycles: number }[];
  /** Words read from and written to the registers of all its PEs or lanes, by tensor; a DMA has none. */
  registers?: { [tensor: string]: { read: number; written: number } };
}

export interface MemoryResult {
  name: string;
  kind: 'memory' | 'scratchpad';
  model: string;
  capacity: number;
  /** Most bytes ever allocated at once. */
  peakBytes: number;
  bytesRead: number;
  bytesWritten: number;
  /** Bytes moved per second over the whole run. */
  bandwidth: number;
  peakBandwidth: number;
  /** Commands issued by kind; read and write accesses for memories without commands. */
  commands: { [command: string]: number };
  rowHits: number;
  rowMisses: number;
  rowConflicts: number;
  /** Seconds from request to last byte, over all reads. */
  averageReadLatency: number;
  /** Bytes read and written per tensor. */
  tensors: { [tensor: string]: { read: number; written: number } };
  /** What only DRAM has. */
  dram?: DramResult;
  /** What only a memory that computes has. */
  pim?: PimActivity;
}

export interface DramResult {
  /** As the standard's file names them: `DDR4`, `DDR4_8Gb_x8`, `DDR4_2400R`. */
  standard: string;
  organisation: string;
  speed: string;
  channels: number;
  /** The policies of its controllers, and how addresses are laid on channels, rows, banks and columns. */
  scheduler: string;
  page: string;
  refresh: string;
  mapping: string;
  /** Bytes of one access. */
  burstBytes: number;
  /** Path names of the banks of one channel, in order: `rank 0, bank group 1, bank 2`. */
  banks: string[];
  /** Column accesses (reads and writes) per bank over time, channels added up: `activity[bank][bin]`. */
  activity: number[][];
  /** Seconds per bin. */
  bin: number;
  /** Activations per bank, channels added up. */
  activations: number[];
  /** Bytes moved per channel. */
  channelBytes: number[];
  /** Reads answered from the write queue. */
  forwarded: number;
  /** Writes merged in the write queue with one to the same place. */
  coalesced: number;
}

/** What PIM commands and ordinary requests did in the channels of a memory, and to one another. */
export interface PimActivity {
  /** As the dialect's file names them. */
  standard: string;
  organisation: string;
  speed: string;
  /** `blocked`: ordinary requests wait while PIM commands do; `concurrent`: they go between them. */
  mode: 'blocked' | 'concurrent';
  /** Length of the run in cycles of the memory's clock, and seconds of one. */
  cycles: number;
  cycle: number;
  /** Path names of the banks of one channel, in order: `rank 0, bank group 1, bank 2`. */
  banks: string[];
  /** Seconds per bin. */
  bin: number;
  channels: {
    commands: { [command: string]: number };
    /** Commands sent in each bin: for ordinary requests, for PIM programs, for refreshes. */
    ordinary: number[];
    pim: number[];
    refresh: number[];
  }[];
  /** `open.pim[bank][bin]`: share of the bin in which a row was open that was opened for PIM; mean of the channels. */
  open: { ordinary: number[][]; pim: number[][] };
  /** Of all channels, for ordinary requests and for PIM commands. Machines do not tell. */
  waits?: { ordinary: PimWaits; pim: PimWaits };
}

/** Cycles of a channel's clock in which something waited, by what became of it. They add up to all such cycles. */
export interface PimWaits {
  /** A command was sent for it. */
  sent: number;
  /** The others took the command bus. */
  commandBus: number;
  /** The others had opened or closed rows in its banks. */
  rowBuffer: number;
  /** A constraint after a command of the others held it up. */
  constraint: number;
  /** It was the others' turn, in blocked mode. */
  turn: number;
  /** A refresh held it up. */
  refresh: number;
  /** Nothing but its own commands held it up. */
  own: number;
}

export interface EinsumResult {
  name: string;
  /** The cascade's text for it. */
  text: string;
  engine: string;
  /** Seconds. */
  start: number;
  end: number;
  /** Busy cycles of the engine's clock. */
  busy: number;
  operations: number;
  /** Operations by operator: { mac: n } or { sub: n, exp: n }. */
  operators: { [operator: string]: number };
  /** Index of the section (fusion group) it ran in. */
  section: number;
}

/** A quantity over time: `values[i]` covers [i, i+1) x `bin` seconds. */
export interface Series {
  name: string;
  unit: string;
  bin: number;
  values: number[];
}

export interface EngineTimeline {
  engine: string;
  /** Seconds per bin. */
  bin: number;
  /** Fractions of each bin; they sum to 1 but for the last bin, which the run may end in. */
  busy: number[];
  waitInput: number[];
  waitOutput: number[];
  waitMemory: number[];
  idle: number[];
}

export interface Result {
  schema: typeof resultSchema;
  /** Program version that made it. */
  version: string;
  arch: { name: string; about: string; source: string; clocks: { [name: string]: number }; overrides: string[] };
  workload: { name: string; about: string; source: string; dtype: string; ranks: { [rank: string]: number } };
  mapping: { name: string; sections: SectionResult[] };
  /** Length of the run in cycles of `clock`. */
  cycles: number;
  clock: string;
  seconds: number;
  engines: EngineResult[];
  memories: MemoryResult[];
  einsums: EinsumResult[];
  energy: { total: number; by: { [part: string]: { [action: string]: number } } };
  area: { total: number; by: { [part: string]: number } };
  bottleneck: Bottleneck;
  timelines: { engines: EngineTimeline[]; bandwidth: Series[] };
  /** Present after a run with values: `maxAbs` is the largest value that the evaluator gives, errors are against it. */
  values?: {
    outputs: { tensor: string; elements: number; maxAbs: number; maxAbsError: number; maxRelError: number }[];
  };
  /** Of a run that served a language model. */
  serving?: ServingResult;
  /** Of a run of a composition of experts. */
  experts?: ExpertsResult;
  /** Of a run on an RDU. */
  dataflow?: DataflowResult;
  /** Of a run of copies and loops on a host: its links, a direction each, and its steps with each of their streams. */
  links?: LinkResult[];
  streams?: StreamResult[];
  /** What the run had to do; absent from results of versions that did all of it. */
  fastForward?: FastForwardResult;
  /** Things the user should know: an operation with no energy row, say. */
  notes: string[];
}

/** How sections of a graph ran as pipelines on a grid. */
export interface DataflowResult {
  /** Switches of the grid. */
  rows: number;
  columns: number;
  /** Who launched kernels, how many there were, and seconds in which they were launched. */
  launch: 'software' | 'hardware';
  kernels: number;
  launchSeconds: number;
  flops: number;
  /** Operations for each byte that went through memory. */
  intensity: number;
  /** In the order of the graph; `repeat` times each. */
  sections: PipelineResult[];
}

export interface PipelineResult {
  name: string;
  repeat: number;
  /** Cycles of one run, and tiles that went through it. */
  cycles: number;
  tiles: number;
  /** The stage that was busy for most of it. */
  bottleneck: string;
  stages: StageResult[];
  /** Of what each site's links to the east, west, south and north could carry in the run: what they did. */
  links: number[];
}

/** Cycles of a stage in one run; busy, waits and idle add up to the section's. */
export interface StageResult {
  name: string;
  kind: 'product' | 'simd' | 'transpose' | 'exchange' | 'load' | 'store';
  /** Sites of its PCUs, a row after the other. */
  sites: number[];
  tiles: number;
  /** Cycles from one tile to the next on the grid; memory and links between devices may take longer. */
  interval: number;
  busy: number;
  waitInput: number;
  waitOutput: number;
  waitMemory: number;
  idle: number;
}

/** One direction of a link. */
export interface LinkResult {
  name: string;
  /** Packets (messages) that came, and their bytes of payload. */
  packets: number;
  payloadBytes: number;
  /** Bytes on the wires, with headers, frames, checks and empty slots; bytes per second that they carry at most. */
  wireBytes: number;
  wireBandwidth: number;
  /** Bytes of payload per second over the whole run. */
  bandwidth: number;
  /** Share of the run in which the wires were in use. */
  utilization: number;
}

/** What one device, or the cores, did in a step. */
export interface StreamResult {
  step: string;
  by: string;
  /** Bytes copied, or gone over. */
  bytes: number;
  /** Seconds since the step began. */
  seconds: number;
  bandwidth: number;
}

/** What one device did of a large language model, of which all devices of its group do the same at a time. */
export interface ServingResult {
  model: string;
  phase: 'prefill' | 'decode' | 'serve';
  /** Layers that were computed, of how many. */
  layers: number;
  modelLayers: number;
  /** Devices that share a layer, and stages of a pipeline; replicas that have other requests. */
  tensor: number;
  pipeline: number;
  data: number;
  subBatches: number;
  /** Bytes of weights, and most bytes of keys and values, on the device. */
  weightBytes: number;
  cacheBytes: number;
  /** Requests of each in prefill and in decode; of a service also those that waited for room when it began. */
  iterations: { start: number; seconds: number; prefill: number; decode: number; waiting?: number }[];
  /** Tokens that were generated (in prefill, read), and of them each second. */
  tokens: number;
  tokensPerSecond: number;
  operators: ServedOperator[];
  /** Of the first layer in the first iteration, in the order of their ends. */
  firstLayer: ServedRun[];
  /** Of requests that arrived over time: seconds, `most` is the longest. */
  requests?: ServedRequests;
}

/** All runs of an operator, in every layer and for every sub-batch. */
export interface ServedOperator {
  name: string;
  kind: string;
  /** `array`, `vector`, `pim` or `link`. */
  on: string;
  runs: number;
  /** From start to end, waiting for its unit included; added up over the runs. */
  seconds: number;
  /** Seconds of those in which it waited for its unit. */
  waited: number;
  flops: number;
  /** Of operands and results, each once for every run. */
  bytes: number;
}

/** One run of an operator; seconds from when its unit, or the first channel of the memory, began with it. */
export interface ServedRun {
  name: string;
  on: string;
  subBatch: number;
  start: number;
  end: number;
}

export interface ServedRequests {
  count: number;
  queue: Spread;
  firstToken: Spread;
  betweenTokens: Spread;
  endToEnd: Spread;
}

export interface Spread {
  mean: number;
  p50: number;
  p90: number;
  p99: number;
  most: number;
}

/** What one device did of a composition of experts, of which all devices that share the models do the same at a time. */
export interface ExpertsResult {
  /** Experts there are, bytes of one on the device, and as how many there is room in the first of `tiers`. */
  experts: number;
  expertBytes: number;
  rooms: number;
  model: string;
  router: string;
  /** Devices that share every model. */
  devices: number;
  prompt: number;
  output: number;
  /** How requests chose, and what leaves a tier that is full. */
  routing: string;
  replacement: string;
  /** Of all batches, by what was done: seconds. */
  seconds: { router: number; switching: number; execution: number };
  hits: number;
  misses: number;
  /** Of experts, from far tiers to the near one. */
  bytesCopied: number;
  /** Seconds; one after another, as they ran. */
  batches: { start: number; requests: number; router: number; switching: number; execution: number; misses: number }[];
  /** What a batch goes through; tensors live from one of these to another. */
  sections: string[];
  tiers: ExpertTier[];
}

/** What lay in a memory, from near to far. */
export interface ExpertTier {
  name: string;
  capacity: number;
  /** Experts that are there at a time, in the near tier as copies, in far ones for good; and their bytes. */
  experts: number;
  expertBytes: number;
  /** Everything else, with the first and last section in which it lives. Those that live at different times share addresses. */
  tensors: { name: string; bytes: number; offset: number; first: number; last: number }[];
  /** Bytes that the addresses of these tensors span. */
  tensorBytes: number;
  /** Bytes that live in each section, experts included. */
  live: number[];
}

/**
 * Of what repeats in a loop nest, only a part is run. Where it is added up exactly, that changes nothing else in a result, to
 * the last bit. Where it is sampled, operations and bytes are exact; times, waits and what DRAM did are estimates.
 */
export interface FastForwardResult {
  /** Why everything was run: a memory of DRAM remembers, values move, or it was asked for. */
  off?: 'dram' | 'values' | 'every-cycle';
  /**
   * By section, all repeats together: iterations of its longest loop nest, and those of them that were run. Others were
   * added up exactly, or else estimated: then the section's seconds are in its own +- `seconds` with 95 % confidence.
   */
  sections: { rounds: number; run: number; used: 'exact' | 'sampled'; seconds?: number }[];
  /** Where some section was sampled: what is to be added and taken away for the 95 % interval of the run's length. */
  interval?: { cycles: number; seconds: number };
}

/** Sections run one after another; the einsums of one are fused. */
export interface SectionResult {
  name: string;
  repeat: number;
  start: number;
  end: number;
  einsums: string[];
  /** Outer to inner: rank, trip count, tile extent. */
  loops: { rank: string; trips: number; tile: number }[];
  interleave: number;
  /** Bytes of on-chip buffer used, and for what. */
  buffers: { memory: string; tensor: string; bytes: number; tiles: number }[];
  /** Present where an array ran the section's einsum in folds; of the first core's share where several did. */
  folds?: FoldsResult;
}

/** A product of matrices, (m x k) times (k x n) for each of `batch`, in folds of a systolic array. */
export interface FoldsResult {
  m: number;
  n: number;
  /** Without what the array passes over of a sparse operand. */
  k: number;
  batch: number;
  /** Row folds x column folds x batch, of one array. */
  count: number;
  /** From the start of a fold to the start of the next one that nothing holds up. */
  cyclesPerFold: number;
  /** Cycles of a fold in which operands stream in. */
  streamPerFold: number;
  /** Share of the PEs that have work, on average over the folds. */
  mappingEfficiency: number;
}

export interface Bottleneck {
  /** The part that bounds the run. */
  part: string;
  /** `memory`: what moves data, a memory, a scratchpad, a dma or a link; `dependencies`: no part is busy enough. */
  kind: 'compute' | 'memory' | 'dependencies';
  /** Fraction of the run that it was busy. */
  utilization: number;
  /** Its busiest einsums (or tensors, for a memory) as fractions of the run, largest first. */
  shares: { name: string; share: number }[];
  /** One sentence. */
  reason: string;
}
