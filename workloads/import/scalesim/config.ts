/**
 * SCALE-Sim's configuration files, of v2 and of v3, as its `scale_config.py` reads them.
 * What it does not read, or reads and never uses, such as MemoryBanks, is let through. Addresses (IfmapOffset,
 * FilterOffset, OfmapOffset) have no effect on timing: operands lie in memories of their own.
 */
import { InputError } from '../../../arch/language/diagnostics.ts';
import { ConfigKeys } from './keys.ts';

/** Where one operand lies in its scratchpad. */
export interface SramLayout {
  readonly banks: number;
  /** Lines of one bank that can be read in one cycle. */
  readonly ports: number;
  readonly wordsPerLine: number;
}

/** One word is one byte. */
export interface ScaleSimConfig {
  /** `run_name`. */
  readonly name: string;
  /** Processing elements: ArrayHeight, ArrayWidth; at most 65,536 each. */
  readonly rows: number;
  readonly columns: number;
  /** Which operand stays in the array: output, weight or input stationary. */
  readonly dataflow: Dataflow;
  /** Scratchpads; the files have kB of 1024 bytes. */
  readonly ifmapBytes: number;
  readonly filterBytes: number;
  readonly ofmapBytes: number;
  /** Words per cycle in USER mode; null in CALC mode: as much as it takes. */
  readonly bandwidth: number | null;
  /** SparsitySupport: whether the topology's N:M column counts. */
  readonly sparsity: boolean;
  /** Null unless IfmapCustomLayout or FilterCustomLayout is true; null inside it of the operand whose key is false. */
  readonly layout: { readonly ifmap: SramLayout | null; readonly filter: SramLayout | null } | null;
  /** What the file asks for and is not done, or done otherwise: one sentence each. */
  readonly notes: readonly string[];
}

/** Most rows, and most columns, of an array. */
const longestSide = 65_536;

const dataflows = ['os', 'ws', 'is'] as const;
type Dataflow = (typeof dataflows)[number];

/** @throws InputError with all mistakes at once; those of the INI format come before all others */
export function parseScaleSimConfig(text: string, file: string): ScaleSimConfig {
  const keys = new ConfigKeys(text, file);
  const config = configOf(keys);
  if (keys.mistakes.length > 0) throw new InputError(keys.mistakes);
  return config;
}

function configOf(keys: ConfigKeys): ScaleSimConfig {
  const kilobytes = (key: string): number => 1024 * keys.whole('architecture_presets', key);
  const sizes = {
    name: keys.text('general', 'run_name'),
    rows: keys.whole('architecture_presets', 'ArrayHeight', longestSide),
    columns: keys.whole('architecture_presets', 'ArrayWidth', longestSide),
    ifmapBytes: kilobytes('IfmapSramSzkB'),
    filterBytes: kilobytes('FilterSramSzkB'),
    ofmapBytes: kilobytes('OfmapSramSzkB'),
    dataflow: keys.choice('architecture_presets', 'Dataflow', dataflows),
  };
  const bandwidths = bandwidthsOf(keys);
  const bandwidth = bandwidths?.[0] ?? null;
  const layout = keys.hasSection('layout') ? layoutOf(keys) : null;
  const sparsity = keys.hasSection('sparsity') && keys.flag('sparsity', 'SparsitySupport');
  const notes = [
    ...bandwidthNotes(bandwidths, layout),
    ...(sparsity ? sparsityNotes(keys) : []),
    ...otherNotes(keys),
    ...keys.unreadNotes(),
  ];
  return { ...sizes, bandwidth, sparsity, layout: layout && customOf(layout), notes };
}

/** Words per cycle in USER mode, more than one where the file has a list; null in CALC mode. */
function bandwidthsOf(keys: ConfigKeys): readonly number[] | null {
  const mode = keys.choice('run_presets', 'InterfaceBandwidth', ['CALC', 'USER']);
  return mode === 'USER' ? keys.wholes('architecture_presets', 'Bandwidth') : null;
}

interface OperandLayout {
  readonly isCustom: boolean;
  readonly sram: SramLayout;
}

interface Layout {
  readonly ifmap: OperandLayout;
  readonly filter: OperandLayout;
}

function layoutOf(keys: ConfigKeys): Layout {
  const operand = (name: 'Ifmap' | 'Filter'): OperandLayout => ({
    isCustom: keys.flag('layout', `${name}CustomLayout`),
    sram: {
      banks: keys.whole('layout', `${name}SRAMBankNum`, longestSide),
      ports: keys.whole('layout', `${name}SRAMBankPort`, longestSide),
      wordsPerLine: keys.whole('layout', `${name}SRAMBankBandwidth`, longestSide),
    },
  });
  return { ifmap: operand('Ifmap'), filter: operand('Filter') };
}

function customOf({ ifmap, filter }: Layout): ScaleSimConfig['layout'] {
  if (!ifmap.isCustom && !filter.isCustom) return null;
  return { ifmap: ifmap.isCustom ? ifmap.sram : null, filter: filter.isCustom ? filter.sram : null };
}

function bandwidthNotes(bandwidths: readonly number[] | null, layout: Layout | null): string[] {
  if (bandwidths === null) return [];
  const bandwidth = bandwidths[0]!;
  const notes: string[] = [];
  if (bandwidths.some((other) => other !== bandwidth)) {
    notes.push(`Of the bandwidths ${bandwidths.join(', ')} the first counts, as in SCALE-Sim.`);
  }
  const reads = layout ? [layout.ifmap, layout.filter].map(({ sram }) => sram.wordsPerLine) : [];
  if (reads.some((read) => read !== bandwidth)) {
    notes.push(
      `SCALE-Sim v3 reads ${reads[0]} words of the IFMAP and ${reads[1]} of the filters per cycle, as [layout] says; ` +
        `here the Bandwidth of ${bandwidth} is that of all operands.`,
    );
  }
  return notes;
}

function sparsityNotes(keys: ConfigKeys): string[] {
  const notes: string[] = [];
  if (keys.optionalFlag('sparsity', 'OptimizedMapping')) {
    notes.push(
      'OptimizedMapping is ignored: every row of a layer keeps the N:M of the topology, where SCALE-Sim draws an N for ' +
        'each row at random.',
    );
  }
  const storage = keys.optionalText('sparsity', 'SparseRep');
  if (storage !== null) {
    notes.push(
      `SparseRep ${storage} is ignored: a kept weight comes with its place in its block, log2 M bits rounded up.`,
    );
  }
  return notes;
}

function otherNotes(keys: ConfigKeys): string[] {
  const notes: string[] = [];
  if (keys.optionalFlag('run_presets', 'UseRamulatorTrace')) {
    notes.push('UseRamulatorTrace is ignored: no latencies are taken from a trace of Ramulator.');
  }
  const topology = keys.optionalText('network_presets', 'TopologyCsvLoc');
  if (topology !== null) notes.push(`TopologyCsvLoc is ignored: ${topology} is read only when it is given.`);
  return notes;
}
