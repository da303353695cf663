/** What the FuseMax studies run, and which figures they take of it: FuseMax, MICRO 2024 (arXiv 2406.10491), artifact f543beb. */
import { List } from 'immutable';
import type { Arch, ArrayPart, OperationCost } from '../../../arch/language/arch.ts';
import { packageRoot } from '../../../arch/language/library.ts';
import { loadArch } from '../../../arch/language/load.ts';
import { costOf } from '../../../arch/language/operations.ts';
import type { Result } from '../../../models/result.ts';
import type { SimulateOptions } from '../../../models/simulate.ts';
import { loadWorkload } from '../../language/load.ts';
import { type LoadedMapping, loadMapping } from '../../language/mapping.ts';
import type { LoadedWorkload } from '../../language/workload.ts';

export const configs = ['unfused', 'flat', 'cascade', 'arch', 'binding'] as const;
export type Config = (typeof configs)[number];

/** Heads, the width of one, and the width of the model. */
export const models = {
  BERT: { H: 12, E: 64, D: 768 },
  TrXL: { H: 16, E: 64, D: 1024 },
  T5: { H: 8, E: 64, D: 512 },
  XLM: { H: 16, E: 128, D: 2048 },
} as const;
export type Model = keyof typeof models;

export interface FusemaxPoint {
  readonly config: Config;
  readonly model: Model;
  readonly seq: number;
}

const batch = 64;

/** Attention of one model at one length; a smaller batch, or fewer heads, takes proportionally less of everything. */
export function attentionRun(point: FusemaxPoint, size: { B?: number; H?: number } = {}): SimulateOptions {
  const { config, model, seq } = point;
  const { H, E } = models[model];
  const shape = { B: batch, H, ...size, E, F: E, P: seq, M: seq };
  const cascade = isThreePass(config) ? 'attention-3-pass' : 'attention-1-pass';
  return { arch: machineOf(config), workload: workload(cascade, shape), mapping: mappingOf(point) };
}

/** The layer's linear layers on the machine of a configuration. */
export function linearRun({ config, model, seq }: FusemaxPoint, B: number = batch): SimulateOptions {
  const { D } = models[model];
  return {
    arch: shippedArch(config),
    workload: workload('attention-linear-layers', { N: B * seq, D }),
    // Of XLM's feed-forward network neither weight matrix fits.
    mapping: shippedMapping(model === 'XLM' ? 'linear-layers-wide' : 'linear-layers'),
  };
}

function isThreePass(config: Config): boolean {
  return config === 'unfused' || config === 'flat';
}

function shippedArch(config: Config): Arch {
  return loadArch(`${packageRoot}/arch/${config === 'arch' || config === 'binding' ? 'fusemax' : 'flat'}.yaml`);
}

/**
 * The artifact gives exp(x - max) one cycle in FLAT's softmax, with the energy of both operations, but two in +Cascade on
 * the same PEs. Its speed-ups over FLAT rest on the former, so that subtractions are free of cycles there.
 */
function machineOf(config: Config): Arch {
  const arch = shippedArch(config);
  if (!isThreePass(config)) return arch;
  const operations = ['parts', 'vector', 'operations'];
  const add = arch.getIn([...operations, 'add']) as OperationCost;
  return arch.setIn([...operations, 'sub'], add.merge({ cycles: 0, depth: 0 }));
}

/** FLAT's tiling depends on what fits, as in the artifact; the other mappings do for every length. */
function mappingOf({ config, model, seq }: FusemaxPoint): LoadedMapping {
  switch (config) {
    case 'unfused':
      // 2 MiB of scores in a tile of the softmax.
      return changed(shippedMapping('attention-unfused'), ['sections', 1, 'partition', 'P', 1, 'size'], rowsOf(seq));
    case 'flat':
      return flatMapping(model, seq);
    case 'cascade':
      return shippedMapping('flat-cascade');
    case 'arch':
      return shippedMapping('fusemax-architecture');
    case 'binding':
      return shippedMapping('fusemax-binding');
  }
}

function rowsOf(seq: number): number {
  return Math.max(1, Math.floor(2 ** 20 / seq));
}

function flatMapping(model: Model, seq: number): LoadedMapping {
  if (seq > 65536) return shippedMapping('flat-spilled');
  if (seq > 16384) return shippedMapping('flat-in-place');
  const rows = shippedMapping('flat-rows');
  if (models[model].E === 64) return rows;
  // With wider heads the artifact keeps V up to 4K, then Q.
  if (seq > 4096) return changed(rows, ['sections', 0, 'refetch'], List());
  return changed(rows, ['sections', 0, 'hold', ''], List(['V']));
}

/** A mapping with another value at a path. */
export function changed(loaded: LoadedMapping, path: (string | number)[], value: unknown): LoadedMapping {
  return { ...loaded, mapping: loaded.mapping.setIn(path, value) };
}

export function shippedMapping(name: string): LoadedMapping {
  return loadMapping(`${packageRoot}/workloads/mappings/${name}.yaml`);
}

export function workload(name: string, ranks: { readonly [rank: string]: number }): LoadedWorkload {
  const shape = Object.entries(ranks).map(([rank, extent]) => `${rank}=${extent}`);
  return loadWorkload(`${packageRoot}/workloads/${name}.yaml`, { shape });
}

/** Figures of attention under the names of the artifact's tables; `arch` is what the result ran on, if it was changed. */
export function attentionMetrics(result: Result, config: Config, arch: Arch = machineOf(config)) {
  const buffer = result.memories.find(({ name }) => name === 'buffer')!;
  return {
    cycles: result.cycles,
    latency_s: result.seconds,
    traffic_bytes: trafficOf(result),
    energy_pJ: artifactEnergy(result, config) * 1e12,
    energy_full_pJ: result.energy.total * 1e12,
    util_2d: occupancy(result, arch),
    util_1d: result.engines.find(({ name }) => name === 'vector')!.utilization,
    buffer_bytes: buffer.peakBytes,
  };
}

export function trafficOf({ memories }: Result): number {
  const { bytesRead, bytesWritten } = memories.find(({ name }) => name === 'hbm')!;
  return bytesRead + bytesWritten;
}

/** Share of the array's PEs that compute, on average over the run: a narrow tile keeps some idle. */
function occupancy({ einsums, cycles }: Result, arch: Arch): number {
  const { operations, rows, columns } = arch.parts.get('array') as ArrayPart;
  const peCycles = einsums
    .filter(({ engine }) => engine === 'array')
    .flatMap(({ operators }) => Object.entries(operators))
    .reduce((sum, [operator, count]) => sum + count * costOf(operations, operator)!.cycles, 0);
  return peCycles / (rows * columns * cycles);
}

/**
 * Joules as the artifact counts them, who is wrong in four ways: it counts the registers of one PE or lane in all, so
 * that next to nothing of them is left; in +Cascade it looks for the energy of "exponentiatial" and finds none; what
 * FLAT and unfused attention do not keep on the chip passes the buffer for nothing; and so do, on FuseMax, results on their
 * way to memory and SPNV, for which the vector unit has too few registers.
 */
export function artifactEnergy(result: Result, config: Config): number {
  const exp = config === 'cascade' ? sum(Object.values(result.energy.by).map(({ exp = 0 }) => exp)) : 0;
  return energyBesideRegisters(result) - exp - streamedEnergy(result, config);
}

/** Joules without those of registers. */
export function energyBesideRegisters({ energy }: Result): number {
  const actions = Object.values(energy.by).flatMap((by) => Object.entries(by));
  return sum(actions.filter(([action]) => !action.startsWith('register')).map(([, joules]) => joules));
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Joules of the scratchpad for what the artifact streams past it. */
function streamedEnergy({ energy, memories, mapping }: Result, config: Config): number {
  const buffer = memories.find(({ name }) => name === 'buffer')!;
  const perRead = (energy.by.buffer?.read ?? 0) / buffer.bytesRead;
  const perWrite = (energy.by.buffer?.write ?? 0) / buffer.bytesWritten;
  /** Of a tensor's bytes, the shares of those read and written that the artifact does not count. */
  const streamed = (tensor: string, reads: number, writes: number): number => {
    const { read, written } = buffer.tensors[tensor] ?? { read: 0, written: 0 };
    return reads * read * perRead + writes * written * perWrite;
  };
  if (config === 'cascade') return 0;
  if (!isThreePass(config)) return streamed('SPNV', 1, 1) + streamed('AV', 1, 1) + streamed('RM', 1 / 3, 0);
  // Where it tiles for 64K tokens, sums of AV are in the buffer.
  const tensors = mapping.name === 'flat-in-place' ? ['Q', 'K', 'V'] : ['Q', 'K', 'V', 'AV'];
  const inputs = tensors.reduce((sum, tensor) => sum + streamed(tensor, 1, 1), 0);
  if (config === 'unfused') return inputs + streamed('QK', 1 / 3, 1 / 2) + streamed('A', 1, 1);
  const spills = mapping.name === 'flat-spilled';
  return spills ? inputs + streamed('QK', 1 / 2, 1 / 2) + streamed('SN', 0, 1 / 2) + streamed('A', 1, 1) : inputs;
}

/** +Binding on an array of `size` rows and columns and as many lanes, with tiles and links of that width. */
export function sizedRun(
  model: Model,
  size: number,
  seq: number,
  extent: { B?: number; H?: number } = {},
): SimulateOptions {
  const { H, E } = models[model];
  const shape = { B: batch, H, ...extent, E, F: E, P: seq, M: seq, M0: size };
  const wide = shippedArch('binding')
    .setIn(['parts', 'array', 'rows'], size)
    .setIn(['parts', 'array', 'columns'], size)
    .setIn(['parts', 'vector', 'lanes'], size);
  const arch = wide.update('links', (links) =>
    links.map((link) => link.update('bandwidth', (rate) => rate?.set('bytes', (rate.bytes * size) / 256) ?? null)),
  );
  const tiled = changed(shippedMapping('fusemax-binding'), ['sections', 0, 'partition', 'P', 2, 'size'], size);
  // A column's maximum takes as long as the array is high: more tiles fill the time.
  const stages = tiled.mapping.getIn(['sections', 0, 'pipeline']) as List<List<string>>;
  const gap = List<List<string>>(Array.from({ length: Math.max(0, Math.ceil(size / 128) - 2) }, () => List<string>()));
  const deep = stages.splice(5, 0, ...gap).splice(1, 0, ...gap);
  const mapping = changed(tiled, ['sections', 0, 'pipeline'], deep);
  return { arch, workload: workload('attention-1-pass', shape), mapping };
}
