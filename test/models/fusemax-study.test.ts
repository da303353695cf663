/** The five configurations of FuseMax against the tables of its artifact (test/fixtures/fusemax-attention.json). */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { simulate } from '../../models/simulate.ts';
import {
  attentionMetrics,
  attentionRun,
  type Config,
  configs,
  linearRun,
  type Model,
  models,
  shippedMapping,
  trafficOf,
  workload,
} from '../../workloads/studies/fusemax/points.ts';

type Figures = Record<'traffic_bytes' | 'latency_s' | 'energy_pJ' | 'util_2d' | 'util_1d', number>;

const fixture = JSON.parse(readFileSync(new URL('../fixtures/fusemax-attention.json', import.meta.url), 'utf8')) as {
  columns: string[];
  attention: (string | number)[][];
  linear: (string | number)[][];
};

function referenceOf(config: string, model: string, seq: number): Figures {
  const row = fixture.attention.find(([c, m, s]) => c === config && m === model && s === seq)!;
  return Object.fromEntries(fixture.columns.map((column, i) => [column, row[i]])) as Figures;
}

/** How far latency is off at most, as a fraction: a real hand-off costs cycles that the tables leave out. */
const latencyWithin: Record<Config, number> = { unfused: 2e-3, flat: 2e-3, cascade: 3e-3, arch: 0.02, binding: 5e-3 };

function expectToAgree(config: Config, model: Model, seq: number, size: { B?: number; H?: number } = {}): void {
  const run = attentionRun({ config, model, seq }, size);
  const share = ((size.B ?? 64) / 64) * ((size.H ?? models[model].H) / models[model].H);
  const ours = attentionMetrics(simulate(run), config);
  const theirs = referenceOf(config, model, seq);
  expect(Math.abs(ours.latency_s / share / theirs.latency_s - 1)).toBeLessThan(latencyWithin[config]);
  expect(Math.abs(ours.energy_pJ / share / theirs.energy_pJ - 1)).toBeLessThan(0.02);
  expect(Math.abs(ours.util_2d - theirs.util_2d)).toBeLessThan(0.005);
  expect(Math.abs(ours.util_1d - theirs.util_1d)).toBeLessThan(0.005);
  const tiles = seq / 256;
  // FLAT spills parts of tiles, seven times, where ours fetches Q, K and V for every block and keeps all scores.
  const unit = theirs.traffic_bytes / share > 0 && config === 'flat' && seq > 1024;
  const bytes = 64 * models[model].H * models[model].E * seq * 2;
  expect(ours.traffic_bytes / share).toBe(unit ? (3 * tiles + 1) * bytes : theirs.traffic_bytes);
}

describe('attention of BERT', () => {
  it.each(configs)('%s: takes what the tables say at 1K', (config) => expectToAgree(config, 'BERT', 1024));

  it.each(configs)('%s: takes what the tables say at 16K, in one head', (config) => {
    expectToAgree(config, 'BERT', 16384, { B: 1, H: 1 });
  });
});

describe('cycles from tile to tile', () => {
  const cycles = (config: Config, model: Model, H: number): number =>
    simulate(attentionRun({ config, model, seq: 4096 }, { B: 1, H })).cycles;
  const tiles = (4096 / 256) ** 2;
  const F = (model: Model): number => models[model].E;

  /** Of a head more, which has no share in filling and draining. */
  const perTile = (config: Config, model: Model): number =>
    (cycles(config, model, 3) - cycles(config, model, 2)) / tiles;

  it.each(['BERT', 'XLM'] as const)('%s: are those of the formulas of the artifact', (model) => {
    const f = F(model);
    expect(perTile('flat', model)).toBeCloseTo(1024, 0);
    expect(perTile('cascade', model)).toBeGreaterThanOrEqual(1029 + 2 * f + f / 16);
    expect(perTile('cascade', model)).toBeLessThan(1031 + 2 * f + f / 16);
    // A cycle or two for each hand-off between array and vector unit.
    expect(perTile('arch', model)).toBeGreaterThan(3 * f + 266);
    expect(perTile('arch', model)).toBeLessThanOrEqual(3 * f + 266 + 8);
    // One more at the end of a row, for the divisor over the same link.
    expect(perTile('binding', model)).toBe(2 * f + 10 + (f + 1) / 16);
  });
});

describe('how much fits', () => {
  it.each(['cascade', 'arch', 'binding'] as const)(
    '%s: as many tiles share K and V as in the tables',
    (config) => {
      const seq = 65536;
      const { model, traffic_bytes } = { model: 'BERT' as const, ...referenceOf(config, 'BERT', seq) };
      const { H, E } = models[model];
      const blocks = config === 'cascade' ? 8 : 2;
      expect(traffic_bytes).toBe(2 * 64 * H * E * seq * (2 + 2 * blocks));
      const ours = simulate(attentionRun({ config, model, seq }, { B: 1, H: 1 }));
      expect(trafficOf(ours) * 64 * H).toBe(traffic_bytes);
    },
    20_000,
  );

  it.each(['flat-spilled', 'flat-in-place'])('%s goes past FLAT’s rows of scores', (name) => {
    const run = attentionRun({ config: 'flat', model: 'BERT', seq: 4096 }, { B: 1, H: 1 });
    const result = simulate({ ...run, mapping: shippedMapping(name) });
    const unit = 64 * 4096 * 2;
    const scores = 4096 * 4096 * 2;
    // Scores and probabilities go to memory and come back, K and V come for each block of 1024; or of 128.
    const expected = name === 'flat-spilled' ? 4 * scores + 10 * unit : 66 * unit;
    expect(trafficOf(result)).toBe(expected);
    expect(result.memories.find(({ name: part }) => part === 'buffer')!.peakBytes).toBeLessThan(16 * 2 ** 20);
  });
});

describe('linear layers', () => {
  it.each(fixture.linear.filter(([, model, seq]) => model === 'BERT' && seq === 1024))(
    'on %s: %s at %i take what the tables say',
    (machine, _, __, traffic, latency, energy) => {
      const config = machine === 'flat' ? 'flat' : 'binding';
      const result = simulate(linearRun({ config, model: 'BERT', seq: 1024 }));
      expect(trafficOf(result)).toBe(traffic);
      expect(Math.abs(result.seconds / Number(latency) - 1)).toBeLessThan(0.01);
      const counted = Object.values(result.energy.by).flatMap((by) =>
        Object.entries(by).flatMap(([action, joules]) => (action.startsWith('register') ? [] : [joules])),
      );
      expect(Math.abs((counted.reduce((a, b) => a + b, 0) * 1e12) / Number(energy) - 1)).toBeLessThan(0.06);
    },
  );
});

describe('values', () => {
  it.each([
    ['flat-rows', 'flat', { P: 300, M: 400 }],
    ['flat-in-place', 'flat', { P: 300, M: 512 }],
    ['flat-spilled', 'flat', { P: 1100, M: 300 }],
    ['attention-unfused', 'unfused', { P: 1024, M: 300 }],
    ['flat-cascade', 'cascade', { P: 600, M: 768 }],
    ['fusemax-architecture', 'arch', { P: 512, M: 512 }],
    ['fusemax-binding', 'binding', { P: 1024, M: 512 }],
  ] as const)('%s computes attention', (name, config, shape) => {
    const run = attentionRun({ config, model: 'BERT', seq: 1024 });
    const small = workload(run.workload.workload.name, { B: 1, H: 2, E: 4, F: 3, ...shape });
    const { values } = simulate({ ...run, workload: small, mapping: shippedMapping(name), values: true });
    expect(values!.outputs[0]!.maxRelError).toBeLessThanOrEqual(1e-9);
  });
});
