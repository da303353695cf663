import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { expertTokens } from '../../workloads/llm/routing.ts';
import { type Row, recordedClaims, speedups } from '../../workloads/studies/duplex/claims.ts';
import { deviceRun, hasRoom, iterationFigures } from '../../workloads/studies/duplex/decode.ts';
import { secondsOf } from '../../workloads/studies/duplex/interpolate.ts';
import { recorded } from '../../workloads/studies/duplex/recorded.ts';

const row: Row = {
  model: 'mixtral-8x7b',
  system: 'gpu',
  expert_tp: 1,
  batch: 32,
  Lin: 256,
  Lout: 256,
  tbt_ms: 8,
  tokens_per_s: 100,
  energy_mJ: 10,
};

describe('claims of Duplex', () => {
  it('compare the fastest rows that are alike', () => {
    const rows: Row[] = [
      row,
      { ...row, batch: 64, tokens_per_s: 150 },
      { ...row, system: 'co-processing', tokens_per_s: 210, energy_mJ: 9 },
      { ...row, system: 'co-processing', expert_tp: 4, tokens_per_s: 250, energy_mJ: 8 },
    ];
    expect(speedups(rows, 'gpu', 'co-processing', 'tokens_per_s')).toEqual([2.5]);
    expect(speedups(rows, 'gpu', 'co-processing', 'energy_mJ')).toEqual([0.8]);
    expect(speedups(rows, 'gpu', 'bank-pim', 'tokens_per_s')).toEqual([]);
  });

  it('have the figures of the simulator', () => {
    const [head = '', ...lines] = readFileSync('test/fixtures/pim/duplex.csv', 'utf8').trim().split('\n');
    const names = head.split(',');
    const runs = lines.map((line) => Object.fromEntries(line.split(',').map((value, i) => [names[i], value])));
    const decode = runs.filter(({ stage }) => stage === 'decode-only');
    expect(decode.length).toBe(4 * recorded.length);
    for (const { Lin, batch, processor, co_processing, expert_tp, tbt_p50_ms } of decode) {
      const side =
        processor === 'GPU' ? 'gpu' : co_processing === 'off' ? 'logic' : expert_tp === '4' ? 'shared' : 'both';
      const figures = recorded.find((one) => one.Lin === Number(Lin) && one.batch === Number(batch));
      expect(figures?.[side]).toBe(Number(tbt_p50_ms));
    }
  });

  it('find the row that each of them is of', () => {
    const [gpu] = recordedClaims;
    expect(gpu?.target).toBe(7.296);
    expect(gpu?.measured([{ ...row, batch: 64 }, row])).toBe(8);
    expect(gpu?.measured([])).toBeNull();
  });
});

describe('a device of Duplex', () => {
  const point = {
    model: 'mixtral-8x7b',
    system: 'gpu',
    expert_tp: 1,
    phase: 'decode',
    batch: 32,
    context: 64,
  } as const;

  it('is the one whose experts have the most tokens', () => {
    const { workload } = deviceRun(point);
    const { share: own, model, routing } = workload;
    expect([own.tensor, own.expert, own.expertTensor]).toEqual([4, 4, 1]);
    const tokens = expertTokens(routing, model, 0, 0, 32);
    const sums = [0, 2, 4, 6].map((first) => (tokens[first] ?? 0) + (tokens[first + 1] ?? 0));
    expect(sums[own.device]).toBe(Math.max(...sums));
    const { share } = deviceRun({ ...point, expert_tp: 4 }).workload;
    expect([share.expert, share.device]).toEqual([1, 0]);
  });

  it('has a layer of each kind, and a replica its part of the batch', () => {
    expect(deviceRun({ ...point, model: 'glam-143b' }).workload.layers).toBe(2);
    const grok = deviceRun({ ...point, model: 'grok-1-314b' }).workload;
    expect([grok.layers, grok.requests.size, grok.share.expertTensor]).toEqual([1, 16, 2]);
  });

  it('has no room for 64 requests of OPT with 2,048 tokens', () => {
    expect(hasRoom({ ...point, model: 'opt-66b', context: 2048 })).toBe(true);
    expect(hasRoom({ ...point, model: 'opt-66b', batch: 64, context: 2048 })).toBe(false);
  });

  it('takes as many times longer as there are layers for one that is simulated', () => {
    const run = deviceRun(point);
    const small = run.workload.setIn(['model', 'ffn'], 256);
    const [six, two] = [6, 2].map((layers) =>
      iterationFigures({ ...run, workload: small.setIn(['model', 'layers'], layers) }),
    );
    expect(two?.seconds).toBeGreaterThan(0);
    expect(six?.seconds).toBeCloseTo(3 * (two?.seconds ?? 0), 12);
    expect(six?.joules).toBeCloseTo(3 * (two?.joules ?? 0), 12);
  });
});

it('iterations between measured ones are on the lines between them', () => {
  const measured = [
    { batch: 10, context: 100, seconds: 1 },
    { batch: 10, context: 200, seconds: 2 },
    { batch: 20, context: 100, seconds: 3 },
    { batch: 20, context: 200, seconds: 6 },
    { batch: 40, context: 100, seconds: 4 },
    { batch: 40, context: 200, seconds: 8 },
  ];
  expect(secondsOf(measured, 10, 150)).toBe(1.5);
  expect(secondsOf(measured, 15, 150)).toBe(3);
  expect(secondsOf(measured, 30, 200)).toBe(7);
  expect(secondsOf(measured, 60, 200)).toBe(10);
});
