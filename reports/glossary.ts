import { ofDataflow } from './glossary-dataflow.ts';
import { ofExperts } from './glossary-experts.ts';

interface Definition {
  name: string;
  definition: string;
}

const ofEveryRun = {
  latency: {
    name: 'Latency',
    definition:
      'Time from the first cycle of the run to the last one in which anything was busy, in seconds and in cycles of the named clock.',
  },
  boundBy: {
    name: 'Bound by',
    definition:
      'The part that sets the length of the run: compute when an engine is busy nearly all the time, memory when a memory moves bytes nearly all the time, dependencies when neither is and engines wait for one another. Shares are fractions of the whole run.',
  },
  utilization: {
    name: 'Utilization',
    definition:
      'Busy cycles over all cycles of the run, of the engine’s own clock. It says how often the engine works, not how many of its PEs or lanes do.',
  },
  attained: {
    name: 'Attained rate',
    definition: 'Operations of all engines over the latency. One operation per element: a mac is one, an exp is one.',
  },
  account: {
    name: 'Where the cycles went',
    definition:
      'Every cycle of every engine is counted once: busy, waiting for input, output or memory, or idle. The five add up to the length of the run.',
  },
  cycles: { name: 'Cycles', definition: 'Length of the run in cycles of this engine’s clock.' },
  clock: {
    name: 'Clock',
    definition: 'The clock domain that an engine runs in. Cycles are always cycles of a named clock.',
  },
  busy: { name: 'Busy', definition: 'Cycles in which the engine executed an operation on a tile.' },
  waitInput: {
    name: 'Waits for input',
    definition:
      'Cycles in which the engine’s next operation lacked a tile that another engine or a transfer had yet to deliver.',
  },
  waitOutput: {
    name: 'Waits for output',
    definition: 'Cycles in which a finished tile had nowhere to go, because whoever takes it had no free slot.',
  },
  waitMemory: {
    name: 'Waits for memory',
    definition: 'Cycles in which the engine waited for a memory to serve an access that it had issued.',
  },
  idle: {
    name: 'Idle',
    definition:
      'Cycles in which the engine had nothing to do: before its first and after its last operation of a section.',
  },
  operations: {
    name: 'Operations',
    definition:
      'Operations on elements, all PEs or lanes together: a mac is one operation, an exp is one operation however long it takes.',
  },
  peakOperations: {
    name: 'Peak rate',
    definition: 'Operations per second if every PE or lane did the engine’s cheapest operation in every cycle.',
  },
  cores: {
    name: 'Cores',
    definition:
      'Parts of the same name in several cores share a line: figures are the mean over the cores that have them, with the least and the most below where they differ. Strips and bars are means too.',
  },
  waits: {
    name: 'Waits',
    definition: 'Who waited for which tensor: the part is where the tensor comes from, or, for output, where it goes.',
  },
  waitCycles: { name: 'Waited', definition: 'Cycles of the waiting engine’s clock lost to this tensor and part.' },
  shareOfRun: { name: 'Of run', definition: 'The cycles before, over all cycles of the run.' },
  roofline: {
    name: 'Roofline',
    definition:
      'Attainable rate against operational intensity (Williams, Waterman and Patterson, CACM 2009). The slope is the peak bandwidth of the main memory, each level is the peak rate of a kind of engine. A point on a line is bound by it.',
  },
  intensity: {
    name: 'Operational intensity',
    definition:
      'Operations over bytes moved to and from the main memory. The bytes of a tensor are charged to the einsum that writes it and, in equal parts, to the einsums that read it.',
  },
  timeline: {
    name: 'Einsums over time',
    definition:
      'A bar runs from the first to the last busy cycle of an einsum; its filled height is the fraction of that span in which its engine was busy with it.',
  },
  einsum: { name: 'Einsum', definition: 'One equation of the cascade.' },
  equation: { name: 'Equation', definition: 'The einsum as the workload’s file writes it.' },
  engine: { name: 'Engine', definition: 'The part of the machine that executes it.' },
  start: { name: 'Start', definition: 'Time of the first cycle in which the engine was busy with it.' },
  end: { name: 'End', definition: 'Time after the last cycle in which the engine was busy with it.' },
  busyShare: { name: 'Busy share', definition: 'Busy cycles of the einsum over all cycles of its engine in the run.' },
  operators: {
    name: 'By operator',
    definition: 'Operations by operator: a subtraction inside an exponential counts as both.',
  },
  utilizationOverTime: {
    name: 'Engines over time',
    definition: 'What each engine did in each slice of time, as fractions of the slice’s cycles.',
  },
  bandwidthOverTime: {
    name: 'Bandwidth over time',
    definition: 'Bytes moved in each slice of time over the length of the slice. The dashed line is the peak.',
  },
  memory: { name: 'Memory', definition: 'A memory or scratchpad of the machine.' },
  model: { name: 'Model', definition: 'How the memory behaves in time: the model that the machine’s file names.' },
  capacity: { name: 'Capacity', definition: 'Bytes that the memory can hold.' },
  allocated: { name: 'Most allocated', definition: 'Most bytes that were allocated in the memory at any one time.' },
  bytesRead: { name: 'Read', definition: 'Bytes read from the memory over the whole run.' },
  bytesWritten: { name: 'Written', definition: 'Bytes written to the memory over the whole run.' },
  bandwidth: { name: 'Bandwidth', definition: 'Bytes read and written over the latency of the run.' },
  peakBandwidth: {
    name: 'Peak',
    definition: 'Bytes per second if the memory’s data pins or ports moved data in every cycle.',
  },
  bandwidthShare: { name: 'Of peak', definition: 'Bandwidth over peak bandwidth.' },
  readLatency: { name: 'Read latency', definition: 'Mean time from a read request to its last byte, over all reads.' },
  rowHits: { name: 'Row hits', definition: 'Accesses that found their row open in its bank.' },
  rowMisses: { name: 'Row misses', definition: 'Accesses that found their bank closed and had to open the row first.' },
  rowConflicts: {
    name: 'Row conflicts',
    definition: 'Accesses that found another row open and had to close it first.',
  },
  commands: { name: 'Commands', definition: 'Commands issued by kind, or accesses where the model has no commands.' },
  commandCount: {
    name: 'Issued',
    definition: 'Commands of this kind issued over the whole run, all channels together.',
  },
  traffic: {
    name: 'Traffic by tensor',
    definition: 'Bytes of each tensor moved to and from the memory over the whole run.',
  },
  tensor: { name: 'Tensor', definition: 'A tensor of the workload.' },
  energy: {
    name: 'Energy',
    definition:
      'Counts of actions times the energy of one action in the machine’s technology tables. Leakage counts where the tables have it.',
  },
  energyShare: { name: 'Share', definition: 'Part of the total.' },
  part: { name: 'Part', definition: 'A part of the machine.' },
  action: { name: 'Action', definition: 'What costs energy: an operation, a read, a write, a command.' },
  area: {
    name: 'Area',
    definition:
      'Area of each part from the machine’s technology tables, all its instances together. Wiring between parts is not in it.',
  },
  sections: {
    name: 'Sections',
    definition:
      'Groups of einsums that run fused, one group after another. A section that repeats counts all its repeats; those that repeat together, taking turns, share a line.',
  },
  section: { name: 'Section', definition: 'A fusion group of the mapping.' },
  repeat: { name: 'Repeats', definition: 'How many times the section runs back to back.' },
  duration: { name: 'Duration', definition: 'End minus start.' },
  loops: {
    name: 'Loops',
    definition: 'The loop nest over tiles, outer to inner. Each rank has a number of trips and the extent of one tile.',
  },
  trips: { name: 'Trips', definition: 'Iterations of the loop.' },
  tile: { name: 'Tile', definition: 'Extent of one tile along the rank, in elements.' },
  interleave: {
    name: 'Interleave',
    definition: 'Tiles of the innermost loop in flight at once; 1 means one after another.',
  },
  fold: {
    name: 'Folds',
    definition:
      'An array takes a product of M x K by K x N in folds: pieces that fit its rows and columns, one after another. Several cores do a share of the product each: these are the figures of the first core.',
  },
  product: {
    name: 'Product',
    definition:
      'The einsum as a product of matrices, M x N x K for (M x K) times (K x N): each is the product of the ranks that it stands for. A batch is so many products of this size.',
  },
  foldCycles: {
    name: 'Cycles per fold',
    definition:
      'From the start of a fold to the start of the next, in cycles of the array’s clock, when nothing waits.',
  },
  mappingEfficiency: {
    name: 'Mapping efficiency',
    definition:
      'PEs that have work over all PEs of the array, on average over the folds: less than all where a product does not fill the array’s rows or columns.',
  },
  buffers: {
    name: 'Buffers',
    definition: 'What the section allocates on chip, and how many tiles of it are held at once.',
  },
  bufferBytes: {
    name: 'Allocated',
    definition: 'Bytes of the memory allocated for the tensor, all its tiles in flight together.',
  },
  tilesHeld: { name: 'Tiles', definition: 'Tiles held at once: 2 is double buffering.' },
  values: {
    name: 'Values',
    definition: 'Outputs computed by the run against the same workload evaluated without a machine.',
  },
  elements: { name: 'Elements', definition: 'Elements of the output that were compared.' },
  maxAbsError: { name: 'Largest error', definition: 'Largest absolute difference over all elements.' },
  maxRelError: {
    name: 'Largest relative error',
    definition: 'Largest difference over the magnitude of the expected element.',
  },
} as const satisfies { [term: string]: Definition };

const ofDram = {
  dram: {
    name: 'DRAM',
    definition: 'Memories that are simulated command by command, with the timing of a standard’s device.',
  },
  organisation: {
    name: 'Organisation',
    definition: 'Density and data pins of one chip, as the standard’s file names them: 8Gb_x8 is 8 Gbit with 8 pins.',
  },
  speedGrade: { name: 'Speed', definition: 'The speed grade, as the standard’s file names it. It sets the timing.' },
  burst: { name: 'Access', definition: 'Bytes that one read or write command moves.' },
  scheduler: {
    name: 'Scheduler',
    definition:
      'How a controller orders requests. frfcfs takes the oldest one whose next command can start; frfcfs-row-hit also closes no row that an older request hits.',
  },
  pagePolicy: {
    name: 'Pages',
    definition:
      'When a controller closes a row: open keeps it until its bank needs another, closed closes it with the last waiting access, capped after a number of accesses, timeout when it has been unused for a time.',
  },
  refreshPolicy: {
    name: 'Refresh',
    definition: 'Whether a rank is refreshed all banks together, bank by bank, or (for comparison only) not at all.',
  },
  addressMapping: {
    name: 'Address mapping',
    definition:
      'Which bits of an address choose the channel, the rank, the bank, the row and the column, highest first.',
  },
  activations: {
    name: 'Activations',
    definition: 'Rows opened over the whole run, all channels together; as bars, those of each bank.',
  },
  forwarded: { name: 'Forwarded', definition: 'Reads answered from the write queue, without a command.' },
  coalesced: {
    name: 'Merged',
    definition: 'Writes merged in the write queue with a waiting one to the same place, without a command.',
  },
  channelTraffic: { name: 'Per channel', definition: 'Bytes moved by each channel: the mean, and the least and most.' },
  rowOutcomes: {
    name: 'Hits, misses and conflicts',
    definition: 'Accesses by what they found in their bank: their row open, no row open, or another row open.',
  },
  dramEnergy: {
    name: 'Energy by command',
    definition:
      'Energy of the DRAM chips by what draws it: opening and closing rows, reads, writes, refreshes, and the standing current while any bank or no bank of a rank is open.',
  },
  energyPerBit: {
    name: 'Energy per bit',
    definition: 'All energy of the memory, standing current and refreshes included, over the bits read and written.',
  },
  bankActivity: {
    name: 'Bank activity',
    definition:
      'Reads and writes that each bank served in each slice of time, over the length of the slice, all channels together. Where there is no colour there was no access. A row that stands out is a bank that requests queue up for.',
  },
} as const satisfies { [term: string]: Definition };

const ofServing = {
  tokensPerSecond: {
    name: 'Tokens',
    definition:
      'Tokens that were generated (in prefill: tokens of prompts that were read) over the length of the run, of all requests of the devices that share the model. Where not all layers ran, it is the rate of those that did.',
  },
  serving: {
    name: 'Operators',
    definition:
      'What the operators of the model took, in every layer and for every sub-batch together: the time from when their unit began with them to their end, over the length of the run; pale, what they waited for the unit before. What overlaps counts for both; of attention in a memory, context counts from the last softmax on, although heads overlap.',
  },
  subBatches: {
    name: 'sub-batches',
    definition: 'Parts of a batch that go through the layers at the same time, each on the side that it needs next.',
  },
  devices: {
    name: 'Devices',
    definition:
      'Devices that share a layer do the same at the same time, so one of them is simulated; what they send each other takes the time that a formula gives. Stages of a pipeline run one after another.',
  },
  weights: { name: 'Weights', definition: 'Bytes of weights that lie in the memory of the device.' },
  cache: { name: 'Keys and values', definition: 'Bytes of keys and values that lie in the memory of the device.' },
  servedOperator: { name: 'Operator', definition: 'An operator of a layer, or one before or after all of them.' },
  side: {
    name: 'On',
    definition: 'What runs it: the array, the vector unit, the memory (PIM), or the links to other devices.',
  },
  runs: { name: 'Runs', definition: 'How often it ran: once for each layer, iteration and sub-batch.' },
  perRun: { name: 'Per run', definition: 'Mean time from when all that it needs was there to its end.' },
  flopPerByte: {
    name: 'FLOP/byte',
    definition:
      'Floating-point operations over the bytes of its operands and results, each counted once for a run. A multiply-add is two operations.',
  },
  waitedForUnit: {
    name: 'Waited',
    definition: 'Time in which it could have run, but its unit was at something else, over the length of the run.',
  },
  shareOfTime: {
    name: 'Of run',
    definition: 'Time from when its unit began with it to its end, all runs together, over the length of the run.',
  },
  iterations: {
    name: 'Iterations over time',
    definition:
      'An iteration is one pass of a batch through the layers, which gives each of its requests a token. Above, the requests in it and those that had arrived and waited for room; below, how long it took.',
  },
  requests: {
    name: 'Requests',
    definition:
      'How requests fared that came and went. Percentiles are by nearest rank: p90 is what nine in ten did not exceed.',
  },
  requestTime: { name: 'Time', definition: 'What of a request is measured.' },
  meanOfRequests: { name: 'Mean', definition: 'Mean of all requests.' },
  percentile: { name: 'Percentile', definition: 'A time that at least that part of the requests did not exceed.' },
  queue: { name: 'Queue', definition: 'From the arrival of a request to the start of the iteration with its prompt.' },
  firstToken: { name: 'First token', definition: 'From the arrival of a request to its first token.' },
  betweenTokens: {
    name: 'Between tokens',
    definition:
      'Mean time from one token of a request to its next: of a batch that decodes, the mean length of an iteration; of requests that come and go, the time from the first token to the last over the tokens after the first.',
  },
  endToEnd: { name: 'End to end', definition: 'From the arrival of a request to its last token.' },
  oneLayer: {
    name: 'One layer',
    definition:
      'The operators of the first layer in the first iteration, by what runs them. A bar runs from when the unit, or the first channel of the memory, began with the operator to its end. In a memory, attention goes on head by head, so scores, softmax and context overlap.',
  },
} as const satisfies { [term: string]: Definition };

const ofPim = {
  pim: {
    name: 'Processing in memory',
    definition:
      'A memory whose banks compute. Commands of programs that compute (PIM) and of ordinary reads and writes (requests) share its command buses, its rows and its constraints.',
  },
  pimMode: {
    name: 'Mode',
    definition:
      'How requests go beside PIM commands. concurrent: between them, where one can start. blocked: requests wait while PIM commands do, which begin when no request waits.',
  },
  pimLength: {
    name: 'Length',
    definition: 'Cycles of the memory’s clock until the last command was sent, refreshes that waited included.',
  },
  pimCommands: {
    name: 'Commands over time',
    definition:
      'Commands that each channel was sent per cycle of its clock in each slice of time: for PIM, for requests, and for refreshes, the openings and closings of rows that they need included. Channels that did the same share a line. Of many that differ, the mean and those with the most and the fewest commands for PIM.',
  },
  pimLoad: {
    name: 'Load of channels',
    definition:
      'Commands that each channel was sent over the whole run, by whom they were for. Work that lies in few channels waits for the fullest of them.',
  },
  pimOpen: {
    name: 'Open rows',
    definition:
      'Share of all banks that have a row open, over time: rows that were opened for PIM, and rows that were opened for requests. With two row buffers in a bank both can be open.',
  },
  pimBanks: {
    name: 'Open rows by bank',
    definition:
      'Share of each slice of time in which a bank has a row open for PIM, as a colour; where there is none, no row was open. Beside it, the share of the whole run in which it has one open for requests. Mean of all channels.',
  },
  pimWaits: {
    name: 'Who waited for whom',
    definition:
      'Cycles in which at least one request, or one PIM command, waited in a channel, all channels together, by what became of the one that was to go next. Each such cycle is counted once.',
  },
  pimWho: { name: 'Waiting', definition: 'Ordinary reads and writes, or commands of PIM programs.' },
  pimCycles: { name: 'Cycles', definition: 'Cycles in which at least one waited, all channels together.' },
  waitSent: { name: 'Sent', definition: 'A command was sent for one of them.' },
  waitCommandBus: { name: 'Command bus', definition: 'It could have gone, but the others took the command bus.' },
  waitRowBuffer: {
    name: 'Row buffer',
    definition: 'It needs another row in a bank in which the others have opened or closed a row since it last had one.',
  },
  waitConstraint: {
    name: 'Constraints',
    definition: 'A constraint after a command of the others held it up, when its own and refreshes no longer did.',
  },
  waitTurn: { name: 'Turn', definition: 'In blocked mode: it was the turn of the others.' },
  waitRefresh: { name: 'Refresh', definition: 'A refresh was due or under way.' },
  waitOwn: { name: 'Itself', definition: 'Nothing but commands of its own kind, or a barrier, held it up.' },
  pimEnergy: {
    name: 'Energy by command',
    definition:
      'Commands sent times the energy of one, as the file of the memory gives it or its currents do; ordinary commands by what they do. Background is the power of ranks with some row open and with none.',
  },
  pimWindow: {
    name: 'Commands one by one',
    definition:
      'Commands sent to channel 0, in the banks that they act on: a bar lasts from the command’s start for as long as it holds its banks, which is until a row that it opens can be used, a bank that it closes or refreshes can be opened, or the same can follow. Pale stretches are open rows. The lane above the banks has what moves numbers between buffers and the host.',
  },
} as const satisfies { [term: string]: Definition };

const ofComparisons = {
  comparison: {
    name: 'Figures',
    definition: 'Latency, energy and area of each result, and how they compare with those of the first one.',
  },
  comparedResult: {
    name: 'Result',
    definition: 'What tells a result from the others: workload, ranks, machine, overrides or mapping, else its file.',
  },
  timesAsFast: {
    name: 'Times as fast',
    definition: 'Latency of the first result over the latency of this one.',
  },
  timesTheEnergy: {
    name: 'Times the energy',
    definition: 'Energy of this result over the energy of the first one.',
  },
  bytesMoved: {
    name: 'Bytes moved',
    definition:
      'Bytes read from and written to each memory and scratchpad, and those bytes over the latency of the run.',
  },
} as const satisfies { [term: string]: Definition };

/** What every figure in a report means: one place, in the order in which a report shows them. */
export const glossary = {
  ...ofEveryRun,
  ...ofServing,
  ...ofExperts,
  ...ofDataflow,
  ...ofDram,
  ...ofPim,
  ...ofComparisons,
};

export type Term = keyof typeof glossary;

/** The terms of a page that has nothing but a memory that computes. */
export const pimTerms = Object.keys(ofPim);

const only: readonly (readonly ['dram' | 'pim' | 'serving' | 'experts' | 'dataflow', ReadonlySet<string>])[] = [
  ['serving', new Set(Object.keys(ofServing))],
  ['experts', new Set(Object.keys(ofExperts))],
  ['dataflow', new Set(Object.keys(ofDataflow))],
  ['dram', new Set(Object.keys(ofDram))],
  ['pim', new Set(Object.keys(ofPim))],
];

/** The definitions that a report of a run needs, with their terms. */
export const definitionsFor = (has: {
  readonly dram: boolean;
  readonly pim: boolean;
  readonly serving: boolean;
  readonly experts: boolean;
  readonly dataflow: boolean;
}): [string, Definition][] =>
  Object.entries(glossary).filter(
    ([term]) => !(term in ofComparisons) && only.every(([what, terms]) => has[what] || !terms.has(term)),
  );

/** Terms of a run that a comparison shows, too. */
const compared: ReadonlySet<string> = new Set<Term>([
  'latency',
  'cycles',
  'energy',
  'area',
  'boundBy',
  'part',
  'utilization',
]);

/** The definitions that a comparison of results needs, with their terms. */
export const definitionsOfComparisons = (): [string, Definition][] =>
  Object.entries(glossary).filter(([term]) => term in ofComparisons || compared.has(term));
