import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Place } from '../../arch/language/diagnostics.ts';
import { simulate } from '../../models/simulate.ts';
import { type LayerReport, layerReports } from '../../reports/layers.ts';
import type { ScaleSimConfig } from '../../workloads/import/scalesim/config.ts';
import type { ConvLayer, GemmLayer, ScaleSimLayer } from '../../workloads/import/scalesim/layer.ts';
import { machineOf } from '../../workloads/import/scalesim/machine.ts';
import { workloadOf } from '../../workloads/import/scalesim/workload.ts';

/** One measured run: test/fixtures/scalesim/SOURCE.md. */
interface Measured {
  readonly group: string;
  readonly rows: number;
  readonly cols: number;
  readonly dataflow: 'os' | 'ws' | 'is';
  readonly kb: readonly [number, number, number];
  readonly mode: 'CALC' | 'USER';
  readonly bandwidth: number | null;
  readonly gemm: readonly [m: number, n: number, k: number];
  readonly conv?: readonly number[];
  readonly status?: string;
  readonly folds: number;
  readonly cycles_per_fold: number;
  readonly mapping_eff: number;
  readonly sram: readonly [number, number, number];
}

const measured = JSON.parse(readFileSync('test/fixtures/scalesim/reference.json', 'utf8')) as Measured[];

const place: Place = { file: 'topology.csv', line: 2, column: 1, length: 1, text: '' };

const aConv = (sizes: readonly number[], more: Partial<ConvLayer> = {}): ConvLayer => {
  const [height, width, filterHeight, filterWidth, channels, filters, stride] = sizes as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return {
    kind: 'conv',
    name: 'conv',
    height,
    width,
    filterHeight,
    filterWidth,
    channels,
    filters,
    strideHeight: stride,
    strideWidth: stride,
    sparsity: null,
    place,
    ...more,
  };
};

const aGemm = (m: number, n: number, k: number, more: Partial<GemmLayer> = {}): GemmLayer => ({
  kind: 'gemm',
  name: 'gemm',
  m,
  n,
  k,
  sparsity: null,
  place,
  ...more,
});

const aConfig = (more: Partial<ScaleSimConfig> = {}): ScaleSimConfig => ({
  name: 'machine',
  rows: 8,
  columns: 8,
  dataflow: 'ws',
  ifmapBytes: 65536,
  filterBytes: 65536,
  ofmapBytes: 65536,
  bandwidth: null,
  sparsity: false,
  layout: null,
  notes: [],
  ...more,
});

function run(config: ScaleSimConfig, layers: readonly ScaleSimLayer[]): LayerReport[] {
  const imported = workloadOf(layers, 'topology');
  const result = simulate({ arch: machineOf(config), workload: imported.loaded, wholeFolds: true });
  const options = { processingElements: config.rows * config.columns, stalls: config.bandwidth !== null };
  return layerReports(result, imported.layers, options);
}

function again(entry: Measured): LayerReport {
  const [ifmap, filter, ofmap] = entry.kb;
  const { rows, cols: columns, dataflow, bandwidth } = entry;
  const config = aConfig({
    rows,
    columns,
    dataflow,
    bandwidth,
    ifmapBytes: 1024 * ifmap,
    filterBytes: 1024 * filter,
    ofmapBytes: 1024 * ofmap,
  });
  return run(config, [entry.conv ? aConv(entry.conv) : aGemm(...entry.gemm)])[0]!;
}

describe('every run measured with SCALE-Sim', () => {
  it('is one of 170, or the one that was stopped', () => {
    expect(measured.filter(({ status }) => status === undefined).length).toBe(170);
    expect(measured.length).toBe(171);
  });

  it.each(['CALC', 'USER'] as const)(
    'has the same folds, cycles, SRAM accesses and utilisations, in %s mode',
    (mode) => {
      for (const entry of measured.filter((e) => e.mode === mode)) {
        const label = JSON.stringify(entry);
        const layer = again(entry);
        const [m, n, k] = entry.gemm;
        expect([layer.M, layer.N, layer.K], label).toEqual([m, n, k]);
        const [rows, columns, time] = { os: [m, n, k], ws: [k, n, m], is: [k, m, n] }[entry.dataflow] as [
          number,
          number,
          number,
        ];
        const folds = Math.ceil(rows / entry.rows) * Math.ceil(columns / entry.cols);
        const length = time + (entry.dataflow === 'os' ? 1 : 2) * entry.rows + entry.cols - 2;
        expect(layer.computeCycles, label).toBe(folds * length);
        if (entry.status === undefined) {
          expect([layer.folds, layer.cyclesPerFold], label).toEqual([entry.folds, entry.cycles_per_fold]);
          expect(100 * layer.mappingEfficiency, label).toBeCloseTo(entry.mapping_eff, 9);
          // SCALE-Sim adds folds x (rows + columns) to the writes of output-stationary results.
          const extra = entry.dataflow === 'os' ? entry.folds * (entry.rows + entry.cols) : 0;
          const [ifmapReads, filterReads, ofmapWrites] = entry.sram;
          expect(layer.sram, label).toMatchObject({ ifmapReads, filterReads, ofmapWrites: ofmapWrites - extra });
        }
        expect(layer.totalCycles, label).toBe(layer.computeCycles + layer.stallCycles);
        expect(layer.computeUtilization, label).toBeCloseTo((layer.mappingEfficiency * time) / length, 12);
        expect(layer.overallUtilization, label).toBeCloseTo(
          (m * n * k) / (layer.totalCycles * entry.rows * entry.cols),
          12,
        );
        if (mode === 'CALC') {
          expect(layer.stallCycles, label).toBe(0);
          continue;
        }
        const { ifmapReads, filterReads, ofmapReads, ofmapWrites } = layer.memory;
        expect(layer.totalCycles, label).toBeGreaterThanOrEqual(
          (ifmapReads + filterReads + ofmapReads + ofmapWrites) / entry.bandwidth!,
        );
        expect(filterReads, label).toBeGreaterThanOrEqual(k * n);
        expect(ofmapWrites - ofmapReads, label).toBe(m * n);
      }
    },
  );
});

describe('a layer', () => {
  it('of depthwise convolution is one product for each channel', () => {
    // 4 x 4 outputs, 3 x 3 weights: 9 rows in two folds of 8, a column each, 16 + 2 x 8 + 8 - 2 cycles
    const [layer] = run(aConfig(), [aConv([6, 6, 3, 3, 5, 1, 1], { kind: 'depthwise', name: 'DP_conv' })]);
    expect(layer).toMatchObject({
      name: 'DP_conv',
      M: 16,
      N: 1,
      K: 9,
      groups: 5,
      folds: 10,
      cyclesPerFold: 38,
      computeCycles: 380,
    });
    expect(layer!.memory).toMatchObject({ ifmapReads: 6 * 6 * 5, filterReads: 9 * 5, ofmapWrites: 16 * 5 });
  });

  it('whose last windows hang over the image computes them whole, and fetches what is there', () => {
    // ceil((7 - 3 + 2) / 2) = 3 windows each way, ceil((6 - 3 + 2) / 2) = 3 of which the last lacks a column
    const [layer] = run(aConfig(), [aConv([7, 6, 3, 3, 2, 4, 2])]);
    expect(layer).toMatchObject({ M: 9, N: 4, K: 18 });
    expect(layer!.memory.ifmapReads).toBe(7 * 6 * 2);
    expect(layer!.sram.ifmapReads).toBe(9 * 18);
  });

  it('steps differently down and across', () => {
    const [layer] = run(aConfig(), [aConv([9, 9, 3, 3, 1, 1, 2], { strideWidth: 3 })]);
    expect(layer!.M).toBe(4 * 3);
  });

  it('with N:M sparsity keeps N of every M weights, with their places', () => {
    // 10 of K = 18 are kept: four blocks of 2, and 2 of the last two
    const sparse = aGemm(6, 5, 18, { sparsity: { kept: 2, of: 4 } });
    const [layer] = run(aConfig({ sparsity: true }), [sparse]);
    expect(layer).toMatchObject({ K: 18, folds: 2, cyclesPerFold: 6 + 16 + 8 - 2 });
    expect(layer!.memory).toMatchObject({
      ifmapReads: 6 * 18,
      filterReads: 5 * 10,
      filterMetadata: Math.ceil((5 * 8 * 2) / 8) + Math.ceil((5 * 2 * 2) / 8),
    });
    expect(layer!.sram).toMatchObject({ ifmapReads: 6 * 18, filterReads: 5 * 10, ofmapWrites: 2 * 6 * 5 });
    const [dense] = run(aConfig({ sparsity: true }), [aGemm(6, 5, 18)]);
    expect(dense).toMatchObject({ folds: 3 });
    expect(dense!.memory.filterMetadata).toBe(0);
  });

  it('waits for its first operands, and ends when its last result is in memory', () => {
    // One fold of 4 + 2 x 8 + 8 - 2 = 26 cycles; 8 x 8 weights and 4 x 8 inputs come, 4 x 8 results go, a word a cycle.
    const [layer] = run(aConfig({ bandwidth: 1 }), [aGemm(4, 8, 8)]);
    expect(layer!.computeCycles).toBe(26);
    expect(layer!.memory).toMatchObject({ ifmapReads: 32, filterReads: 64, ofmapWrites: 32 });
    expect(layer!.totalCycles).toBeGreaterThanOrEqual(64 + 26 + 8);
    expect(layer!.totalCycles).toBeLessThanOrEqual(64 + 32 + 26 + 32 + 4);
  });
});
