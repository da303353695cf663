import type { EinsumResult, EngineResult, EngineTimeline, Result, SectionResult } from '../../models/result.ts';
import type { Account } from '../../reports/accounts.ts';

const clockRate = 940e6;
const peakBandwidth = 400 * 2 ** 30;
const bins = 200;
const accountKeys: Account[] = ['busy', 'waitInput', 'waitOutput', 'waitMemory', 'idle'];

export interface SampleEinsum {
  name: string;
  text: string;
  engine: 'array' | 'vector';
  /** Busy cycles of the engine. */
  busy: number;
  operators: { [operator: string]: number };
}

export interface SampleSection {
  name: string;
  repeat?: number;
  cycles: number;
  einsums: SampleEinsum[];
  /** Where the array's and the vector unit's other cycles go. */
  losses: { array: Account; vector: Account };
  /** Bytes of each tensor read from and written to the main memory. */
  reads: { [tensor: string]: number };
  writes: { [tensor: string]: number };
  loops: SectionResult['loops'];
  buffers: SectionResult['buffers'];
}

interface Lane {
  name: string;
  kind: Exclude<EngineResult['kind'], 'pim'>;
  peakOps: number;
}

const lanes: Lane[] = [
  { name: 'array', kind: 'array', peakOps: 65536 * clockRate },
  { name: 'vector', kind: 'vector', peakOps: 256 * clockRate },
  { name: 'hbm to buffer', kind: 'dma', peakOps: 0 },
];

const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
const moved = (section: SampleSection) => total([...Object.values(section.reads), ...Object.values(section.writes)]);

/** Cycles of one section that an engine spends in each way. */
function spent(section: SampleSection, lane: Lane): { [account in Account]: number } {
  const account = { busy: 0, waitInput: 0, waitOutput: 0, waitMemory: 0, idle: 0 };
  if (lane.kind === 'dma') {
    account.busy = Math.min(section.cycles, Math.round((moved(section) / peakBandwidth) * clockRate));
    account.waitOutput = section.cycles - account.busy;
    return account;
  }
  account.busy = total(section.einsums.filter(({ engine }) => engine === lane.name).map(({ busy }) => busy));
  account[section.losses[lane.kind]] += section.cycles - account.busy;
  return account;
}

/** The part of bin i that lies in [start, end), all in cycles. */
function overlap(index: number, bin: number, start: number, end: number): number {
  return Math.max(0, Math.min(end, (index + 1) * bin) - Math.max(start, index * bin)) / bin;
}

/** A consistent Result of sections run one after another on an array, a vector unit and one DMA over HBM and a buffer. */
export function aResult(names: { workload: string; arch: string }, sections: SampleSection[]): Result {
  const starts = sections.map((_, index) => total(sections.slice(0, index).map(({ cycles }) => cycles)));
  const cycles = total(sections.map((section) => section.cycles));
  const seconds = cycles / clockRate;
  const bin = cycles / bins;
  const at = (section: number) => ({
    start: starts[section]! / clockRate,
    end: (starts[section]! + sections[section]!.cycles) / clockRate,
  });
  const overBins = (value: (section: SampleSection) => number) =>
    [...Array(bins).keys()].map((index) =>
      total(
        sections.map((section, s) => value(section) * overlap(index, bin, starts[s]!, starts[s]! + section.cycles)),
      ),
    );

  const einsums = sections.flatMap((section, index) =>
    section.einsums.map(
      (einsum): EinsumResult => ({
        name: einsum.name,
        text: einsum.text,
        engine: einsum.engine,
        ...at(index),
        busy: einsum.busy,
        operations: total(Object.values(einsum.operators)),
        operators: einsum.operators,
        section: index,
      }),
    ),
  );
  const engines = lanes.map((lane): EngineResult => {
    const account = Object.fromEntries(
      accountKeys.map((key) => [key, total(sections.map((section) => spent(section, lane)[key]))]),
    ) as { [account in Account]: number };
    const other = lane.name === 'array' ? 'vector' : 'array';
    return {
      name: lane.name,
      kind: lane.kind,
      clock: 'core',
      cycles,
      ...account,
      utilization: account.busy / cycles,
      ops: total(einsums.filter(({ engine }) => engine === lane.name).map(({ operations }) => operations)),
      peakOps: lane.peakOps,
      waits: [
        {
          reason: 'input' as const,
          tensor: lane.name === 'array' ? 'RM' : 'SLN',
          part: other,
          cycles: account.waitInput,
        },
        { reason: 'memory' as const, tensor: 'W', part: 'hbm', cycles: account.waitMemory },
        { reason: 'output' as const, tensor: 'K', part: 'buffer', cycles: account.waitOutput },
      ].filter((wait) => wait.cycles > 0),
    };
  });
  const timelines = lanes.map(
    (lane) =>
      ({
        engine: lane.name,
        bin: seconds / bins,
        ...Object.fromEntries(
          accountKeys.map((key) => [key, overBins((section) => spent(section, lane)[key] / section.cycles)]),
        ),
      }) as EngineTimeline,
  );

  const tensors: { [tensor: string]: { read: number; written: number } } = {};
  for (const section of sections) {
    for (const [tensor, bytes] of Object.entries(section.reads)) {
      tensors[tensor] ??= { read: 0, written: 0 };
      tensors[tensor].read += bytes;
    }
    for (const [tensor, bytes] of Object.entries(section.writes)) {
      tensors[tensor] ??= { read: 0, written: 0 };
      tensors[tensor].written += bytes;
    }
  }
  const bytesRead = total(Object.values(tensors).map(({ read }) => read));
  const bytesWritten = total(Object.values(tensors).map(({ written }) => written));
  const ops = (lane: string) => engines.find(({ name }) => name === lane)!.ops;
  const by = {
    array: { mac: ops('array') * 1.7e-11, exp: ops('array') * 1.1e-12 },
    vector: { mac: ops('vector') * 1.7e-11, divide: ops('vector') * 4e-13 },
    buffer: { read: bytesRead * 3.1e-11, write: bytesWritten * 4.4e-11 },
    hbm: { read: bytesRead * 1.6e-11, write: bytesWritten * 1.7e-11 },
  };
  const busiest = engines.filter(({ kind }) => kind !== 'dma').reduce((a, b) => (b.busy > a.busy ? b : a));
  return {
    schema: 'clockwright/result@1',
    version: '0.1.0',
    arch: {
      name: names.arch,
      about: 'A 2-D PE array beside a 1-D vector array over one global buffer',
      source: 'FuseMax, MICRO 2024 (arXiv 2406.10491), artifact f543beb',
      clocks: { core: clockRate },
      overrides: [],
    },
    workload: {
      name: names.workload,
      about: 'Numerically stable attention in one pass over K and V',
      source: 'FuseMax, MICRO 2024; the order of FlashAttention-2',
      dtype: 'bf16',
      ranks: { B: 64, H: 12, E: 64, F: 64, P: 1024, M: 1024 },
    },
    mapping: {
      name: `${names.arch}-binding`,
      sections: sections.map((section, index) => ({
        name: section.name,
        repeat: section.repeat ?? 1,
        ...at(index),
        einsums: section.einsums.map(({ name }) => name),
        loops: section.loops,
        interleave: 2,
        buffers: section.buffers,
      })),
    },
    cycles,
    clock: 'core',
    seconds,
    engines,
    memories: [
      {
        name: 'hbm',
        kind: 'memory',
        model: 'ideal',
        capacity: 16 * 2 ** 30,
        peakBytes: bytesRead,
        bytesRead,
        bytesWritten,
        bandwidth: (bytesRead + bytesWritten) / seconds,
        peakBandwidth,
        commands: { read: bytesRead / 64, write: bytesWritten / 64 },
        rowHits: 0,
        rowMisses: 0,
        rowConflicts: 0,
        averageReadLatency: 1.42e-7,
        tensors,
      },
      {
        name: 'buffer',
        kind: 'scratchpad',
        model: 'banked',
        capacity: 16 * 2 ** 20,
        peakBytes: Math.max(...sections.map(({ buffers }) => total(buffers.map(({ bytes }) => bytes)))),
        bytesRead: 3 * bytesRead,
        bytesWritten: bytesRead,
        bandwidth: (4 * bytesRead) / seconds,
        peakBandwidth: 32 * 512 * clockRate,
        commands: {},
        rowHits: 0,
        rowMisses: 0,
        rowConflicts: 0,
        averageReadLatency: 4 / clockRate,
        tensors: {},
      },
    ],
    einsums,
    energy: { total: total(Object.values(by).flatMap((actions) => Object.values(actions))), by },
    area: { total: 446.2, by: { array: 381.4, vector: 4.6, buffer: 60.2 } },
    bottleneck: {
      part: busiest.name,
      kind: 'compute',
      utilization: busiest.utilization,
      shares: einsums
        .filter(({ engine }) => engine === busiest.name)
        .map(({ name, busy }) => ({ name, share: busy / cycles }))
        .toSorted((a, b) => b.share - a.share),
      reason: `A faster ${busiest.name} would shorten the run.`,
    },
    timelines: {
      engines: timelines,
      bandwidth: [
        {
          name: 'hbm',
          unit: 'B/s',
          bin: seconds / bins,
          values: overBins((section) => (moved(section) / section.cycles) * clockRate),
        },
      ],
    },
    notes: [],
  };
}

/** Attention of BERT with 1 Ki tokens and batch 64 on FuseMax: the cycles of its paper's closed form plus the fill. */
export function attention(): Result {
  const tiles = 64 * 12 * 4 * 4;
  const elements = 64 * 12 * 1024 * 1024;
  const rows = (64 * 12 * 1024 * 1024) / 256;
  const tensor = 64 * 12 * 64 * 1024 * 2;
  const einsum = (
    name: string,
    text: string,
    engine: 'array' | 'vector',
    perTile: number,
    operators: { [operator: string]: number },
  ) => ({
    name,
    text,
    engine,
    busy: perTile * tiles,
    operators,
  });
  return aResult({ workload: 'attention-1-pass', arch: 'fusemax' }, [
    {
      name: 'attention',
      cycles: 1_893_104,
      losses: { array: 'waitInput', vector: 'waitInput' },
      einsums: [
        einsum('QK', 'QK[b,h,m1,m0,p] = Q[b,h,e,p] * K[b,h,e,m1,m0]', 'array', 64, { mac: elements * 64 }),
        einsum('LM', 'LM[b,h,m1,p] = max(m0) QK[b,h,m1,m0,p]', 'array', 1, { max: elements }),
        einsum('RM', 'RM[b,h,m1+1,p] = max(RM[b,h,m1,p], LM[b,h,m1,p])', 'vector', 1, { max: rows }),
        einsum('SLN', 'SLN[b,h,m1,m0,p] = exp(QK[b,h,m1,m0,p] - RM[b,h,m1+1,p])', 'array', 7, {
          sub: elements,
          exp: elements,
        }),
        einsum('SLD', 'SLD[b,h,m1,p] = SLN[b,h,m1,m0,p]', 'array', 1, { add: elements }),
        einsum('SLNV', 'SLNV[b,h,f,m1,p] = SLN[b,h,m1,m0,p] * V[b,h,f,m1,m0]', 'array', 64, { mac: elements * 64 }),
        einsum('PRM', 'PRM[b,h,m1,p] = exp(RM[b,h,m1,p] - RM[b,h,m1+1,p])', 'vector', 7, { sub: rows, exp: rows }),
        einsum('SPD', 'SPD[b,h,m1,p] = RD[b,h,m1,p] * PRM[b,h,m1,p]', 'vector', 1, { mul: rows }),
        einsum('RD', 'RD[b,h,m1+1,p] = SLD[b,h,m1,p] + SPD[b,h,m1,p]', 'vector', 1, { add: rows }),
        einsum('SPNV', 'SPNV[b,h,f,m1,p] = RNV[b,h,f,m1,p] * PRM[b,h,m1,p]', 'vector', 64, { mul: rows * 64 }),
        einsum('RNV', 'RNV[b,h,f,m1+1,p] = SLNV[b,h,f,m1,p] + SPNV[b,h,f,m1,p]', 'vector', 64, { add: rows * 64 }),
        einsum('AV', 'AV[b,h,f,p] = RNV[b,h,f,M1,p] / RD[b,h,M1,p]', 'vector', 16, { divide: rows * 16 }),
      ],
      reads: { Q: tensor, K: tensor, V: tensor },
      writes: { AV: tensor },
      loops: [
        { rank: 'b', trips: 64, tile: 1 },
        { rank: 'h', trips: 12, tile: 1 },
        { rank: 'p2', trips: 1, tile: 1024 },
        { rank: 'm1', trips: 4, tile: 256 },
        { rank: 'p1', trips: 4, tile: 256 },
      ],
      buffers: [
        { memory: 'buffer', tensor: 'Q', bytes: 131072, tiles: 4 },
        { memory: 'buffer', tensor: 'K', bytes: 65536, tiles: 2 },
        { memory: 'buffer', tensor: 'V', bytes: 65536, tiles: 2 },
        { memory: 'buffer', tensor: 'RNV', bytes: 9_142_272, tiles: 4 },
        { memory: 'buffer', tensor: 'RD', bytes: 2048, tiles: 4 },
        { memory: 'buffer', tensor: 'RM', bytes: 2048, tiles: 4 },
      ],
    },
  ]);
}

function matmulSection(index: number, name: string, cycles: number, memoryBound: boolean): SampleSection {
  const busy = Math.round(cycles * (memoryBound ? 0.45 : 0.97));
  const bytes = (cycles / clockRate) * peakBandwidth * (memoryBound ? 0.94 : 0.3);
  return {
    name,
    cycles,
    losses: { array: memoryBound ? 'waitMemory' : 'waitInput', vector: index % 5 === 3 ? 'waitInput' : 'idle' },
    einsums: [
      {
        name: `Y${index}`,
        text: `Y${index}[m,n] = X${index}[m,k] * W${index}[k,n]`,
        engine: 'array',
        busy,
        operators: { mac: busy * 61000 },
      },
      {
        name: `Z${index}`,
        text: `Z${index}[m,n] = max(Y${index}[m,n], 0)`,
        engine: 'vector',
        busy: Math.round(cycles * (index % 3 === 0 ? 0.55 : 0.12)),
        operators: { max: Math.round(cycles * (index % 3 === 0 ? 0.55 : 0.12)) * 256 },
      },
    ],
    reads: { [`X${index}`]: bytes * 0.2, [`W${index}`]: bytes * 0.6 },
    writes: { [`Z${index}`]: bytes * 0.2 },
    loops: [
      { rank: 'm', trips: 16, tile: 256 },
      { rank: 'n', trips: 12, tile: 256 },
    ],
    buffers: [
      { memory: 'buffer', tensor: `X${index}`, bytes: 1 << 20, tiles: 2 },
      { memory: 'buffer', tensor: `W${index}`, bytes: 2 << 20, tiles: 2 },
    ],
  };
}

/** A product and then its rectification: two sections. */
export function gemmThenRelu(): Result {
  return aResult({ workload: 'gemm-relu', arch: 'tpu' }, [
    matmulSection(0, 'gemm', 400_000, false),
    { ...matmulSection(1, 'relu', 90_000, true), losses: { array: 'idle', vector: 'waitMemory' } },
  ]);
}

/** A transformer's layers as many sections, every third bound by memory. */
export function transformer(sections = 20): Result {
  const names = ['qkv', 'attention', 'projection', 'norm', 'feed-forward'];
  return aResult(
    { workload: 'transformer', arch: 'tpu' },
    [...Array(sections).keys()].map((index) =>
      matmulSection(
        index,
        `${names[index % 5]}-${Math.floor(index / 5)}`,
        40_000 + ((index * 7919) % 13) * 21_000,
        index % 3 === 0,
      ),
    ),
  );
}

/** One einsum, no energy or area tables, no traffic, an empty timeline. */
export function bare(): Result {
  const result = gemmThenRelu();
  return {
    ...result,
    arch: { ...result.arch, about: '', source: '' },
    workload: { ...result.workload, ranks: {} },
    mapping: { name: '', sections: [] },
    engines: [{ ...result.engines[0]!, waits: [] }],
    memories: [],
    einsums: [result.einsums[0]!],
    energy: { total: 0, by: {} },
    area: { total: 0, by: {} },
    bottleneck: {
      part: 'array',
      kind: 'dependencies',
      utilization: 0.4,
      shares: [],
      reason: 'Nothing is busy all the time.',
    },
    timelines: { engines: [], bandwidth: [] },
  };
}

/** A run of no cycles: every quotient is of nothing. */
export function empty(): Result {
  const result = attention();
  const nothing = { busy: 0, waitInput: 0, waitOutput: 0, waitMemory: 0, idle: 0, utilization: 0, ops: 0, peakOps: 0 };
  return {
    ...result,
    cycles: 0,
    seconds: 0,
    engines: result.engines.map((engine) => ({ ...engine, ...nothing, cycles: 0, waits: [] })),
    memories: result.memories.map((memory) => ({
      ...memory,
      capacity: 0,
      peakBytes: 0,
      bytesRead: 0,
      bytesWritten: 0,
      bandwidth: 0,
      peakBandwidth: 0,
      averageReadLatency: 0,
      tensors: {},
    })),
    einsums: result.einsums.map((einsum) => ({ ...einsum, start: 0, end: 0, busy: 0, operations: 0 })),
    energy: { total: 0, by: { array: { mac: 0 } } },
    timelines: {
      engines: [{ engine: 'array', bin: 0, busy: [0], waitInput: [0], waitOutput: [0], waitMemory: [0], idle: [0] }],
      bandwidth: [{ name: 'hbm', unit: 'B/s', bin: 0, values: [0] }],
    },
  };
}

export const hostileName = `<b a="1">&'`;

/** A run whose every name would be markup if it were not escaped. */
export function hostile(run: Result = gemmThenRelu()): Result {
  const rename = (value: unknown): unknown => {
    if (typeof value === 'string') return value.replace(/[A-Za-z][\w -]*/, (word) => `${word}${hostileName}`);
    if (Array.isArray(value)) return value.map(rename);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [
        key,
        ['kind', 'reason', 'unit'].includes(key) ? inner : rename(inner),
      ]),
    );
  };
  const result = rename(run) as Result;
  return { ...result, bottleneck: { ...result.bottleneck, reason: hostileName }, notes: [hostileName] };
}
