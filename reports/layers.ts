/** Layers of a SCALE-Sim topology, in SCALE-Sim's terms, from the Result of a run of them. */
import type { FoldsResult, Result, SectionResult } from '../models/result.ts';
import { bytes, count, fraction, percent } from './format.ts';

/** Words by operand; a word is a byte. */
export interface OperandWords {
  readonly ifmapReads: number;
  readonly filterReads: number;
  readonly ofmapWrites: number;
  /** Partial sums that are read back to be added to. */
  readonly ofmapReads: number;
  /** Bytes that say where a compressed filter's values lie in their blocks. */
  readonly filterMetadata: number;
}

/** Utilisations are fractions. */
export interface LayerReport {
  readonly name: string;
  /** Matrices of one group; `groups` of them, one after another. */
  readonly M: number;
  readonly N: number;
  readonly K: number;
  readonly groups: number;
  readonly folds: number;
  readonly cyclesPerFold: number;
  /** folds x cyclesPerFold. */
  readonly computeCycles: number;
  readonly stallCycles: number;
  readonly totalCycles: number;
  /** Multiply-adds / (totalCycles x PEs). */
  readonly overallUtilization: number;
  readonly mappingEfficiency: number;
  /** mappingEfficiency x the share of a fold in which operands stream in. */
  readonly computeUtilization: number;
  readonly sram: OperandWords;
  readonly memory: OperandWords;
}

/** A layer's name, and those of its tensors. */
export interface LayerNames {
  readonly name: string;
  readonly k: number;
  readonly ifmap: string;
  readonly filter: string;
  readonly ofmap: string;
}

/**
 * The layers of a run. Without `stalls`, the memory is as fast as the array asks of it, and the few cycles in which the
 * first piece of a layer comes and the last one leaves are left out.
 */
export function layerReports(
  result: Result,
  layers: readonly LayerNames[],
  { processingElements, stalls }: { processingElements: number; stalls: boolean },
): LayerReport[] {
  const hertz = result.arch.clocks[result.clock]!;
  return layers.map((layer): LayerReport => {
    const section = result.mapping.sections.find(({ einsums }) => einsums.includes(layer.ofmap))!;
    const folds = foldsOf(section);
    const einsum = result.einsums.find(({ name }) => name === layer.ofmap)!;
    const computeCycles = folds.count * folds.cyclesPerFold;
    const ran = Math.round((section.end - section.start) * hertz);
    const totalCycles = stalls ? ran : computeCycles;
    const moved = (memory: string, tensor: string): { read: number; written: number } =>
      result.memories.find(({ name }) => name === memory)?.tensors[tensor] ?? { read: 0, written: 0 };
    const dram = (tensor: string) => moved('dram', tensor);
    // A scratchpad is read for the array and by its DMA: what goes to memory was read by the DMA.
    const sums = moved('ofmap', layer.ofmap);
    return {
      name: layer.name,
      M: folds.m,
      N: folds.n,
      K: layer.k,
      groups: folds.batch,
      folds: folds.count,
      cyclesPerFold: folds.cyclesPerFold,
      computeCycles,
      stallCycles: totalCycles - computeCycles,
      totalCycles,
      overallUtilization: einsum.operations / (totalCycles * processingElements),
      mappingEfficiency: folds.mappingEfficiency,
      computeUtilization: (folds.mappingEfficiency * folds.streamPerFold) / folds.cyclesPerFold,
      sram: {
        ifmapReads: moved('ifmap', layer.ifmap).read,
        filterReads: moved('filter', layer.filter).read,
        ofmapWrites: sums.written - dram(layer.ofmap).read,
        ofmapReads: sums.read - dram(layer.ofmap).written,
        filterMetadata: moved('filter', `${layer.filter}.metadata`).read,
      },
      memory: {
        ifmapReads: dram(layer.ifmap).read,
        filterReads: dram(layer.filter).read,
        ofmapWrites: dram(layer.ofmap).written,
        ofmapReads: dram(layer.ofmap).read,
        filterMetadata: dram(`${layer.filter}.metadata`).read,
      },
    };
  });
}

const columns = [
  'layer',
  'M x N x K',
  'folds x cycles',
  'cycles',
  'stalls',
  'overall util.',
  'mapping eff.',
  'memory',
] as const;

/** A table for a terminal of 100 columns, a line for each layer, and their sum. */
export function layerTable(layers: readonly LayerReport[]): string {
  const rows = layers.map((layer) => [
    layer.name,
    `${layer.groups > 1 ? `${layer.groups} of ` : ''}${layer.M} x ${layer.N} x ${layer.K}`,
    `${count(layer.folds)} x ${count(layer.cyclesPerFold)}`,
    count(layer.totalCycles),
    percent(fraction(layer.stallCycles, layer.totalCycles)),
    percent(layer.overallUtilization),
    percent(layer.mappingEfficiency),
    bytes(bytesMoved(layer.memory)),
  ]);
  const sum = (of: (layer: LayerReport) => number): number => layers.reduce((total, layer) => total + of(layer), 0);
  const cycles = sum((layer) => layer.totalCycles);
  const stalled = fraction(
    sum((layer) => layer.stallCycles),
    cycles,
  );
  const used = fraction(
    sum((layer) => layer.overallUtilization * layer.totalCycles),
    cycles,
  );
  const total = [
    'all layers',
    '',
    '',
    count(cycles),
    percent(stalled),
    percent(used),
    '',
    bytes(sum((layer) => bytesMoved(layer.memory))),
  ];
  const lines = [columns, ...rows, ...(layers.length > 1 ? [total] : [])];
  const widths = columns.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  const written = lines.map((line) =>
    line
      .map((text, column) => (column === 0 ? text.padEnd(widths[column]!) : text.padStart(widths[column]!)))
      .join('  '),
  );
  return `${written.map((line) => line.trimEnd()).join('\n')}\n`;
}

function bytesMoved(words: OperandWords): number {
  const { ifmapReads, filterReads, filterMetadata, ofmapReads, ofmapWrites } = words;
  return ifmapReads + filterReads + filterMetadata + ofmapReads + ofmapWrites;
}

function foldsOf(section: SectionResult): FoldsResult {
  if (!section.folds) throw new Error(`${section.name} did not run in folds`);
  return section.folds;
}
