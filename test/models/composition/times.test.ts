import { List } from 'immutable';
import { describe, expect, it } from 'vitest';
import { DataflowTimes } from '../../../models/composition/dataflow-times.ts';
import { ServingTimes } from '../../../models/composition/serving-times.ts';
import { byMiddles, noWork, once, passOf, plus, stride, type Work } from '../../../models/composition/times.ts';
import { languageGraph } from '../../../models/dataflow/language-graph.ts';
import { GraphRunner } from '../../../models/dataflow/run.ts';
import { serve } from '../../../models/serving/serve.ts';
import { DataflowMapping } from '../../../workloads/language/dataflow-mapping.ts';
import { loadServingMapping } from '../../../workloads/language/serving-mapping.ts';
import { LlmModel } from '../../../workloads/llm/model.ts';
import { DeviceShare } from '../../../workloads/llm/share.ts';
import { batchAt, PlannedRequest } from '../../../workloads/llm/workload.ts';
import { shippedMachine } from '../machines.ts';

const small = new LlmModel({
  name: 'small',
  layers: 6,
  hidden: 1024,
  heads: 16,
  kvHeads: 16,
  headSize: 64,
  ffn: 2048,
  gated: true,
  vocabulary: 1000,
  norm: 'rms',
  rotary: true,
  biases: false,
});
const share = new DeviceShare({ tensor: 2 });

function expectNear(found: Work, exact: Work, within: number): void {
  for (const key of ['ps', 'read', 'written'] as const)
    expect(Math.abs(found[key] / exact[key] - 1)).toBeLessThan(within);
}

describe('tokens by those in the middle of 64', () => {
  const affine = (context: number): Work => ({ ps: 5 * context + 1000, read: 3 * context, written: 2 });
  const all = (context: number, count: number): Work =>
    Array.from({ length: count }, (_, i) => affine(context + i)).reduce((sum, work) => plus(sum, work), noWork);

  it('are all tokens of a time that is affine in the context, but for half a token where their number is even', () => {
    for (const count of [1, 5, 63]) expect(byMiddles(7, count, affine)).toEqual(all(7, count));
    const [found, exact] = [byMiddles(7, 3 * stride + 10, affine), all(7, 3 * stride + 10)];
    expect(exact.ps - found.ps).toBe((3 * stride + 10) * 2.5);
  });

  it('are few', () => {
    const seen: number[] = [];
    byMiddles(100, 199, (context) => {
      seen.push(context);
      return noWork;
    });
    expect(seen).toEqual([131, 195, 259, 295]);
    expect(byMiddles(1, 0, affine)).toEqual(noWork);
  });
});

describe('times on arrays and DRAM', () => {
  const arch = shippedMachine('dgx-h100');
  const mapping = loadServingMapping('gpu-only');
  const times = new ServingTimes(arch, mapping, share);
  const exactly = (phase: 'prefill' | 'decode', requests: number, context: number, model = small): Work => {
    const { iterations, device } = serve(arch, passOf(model, share, phase, requests, context), mapping.mapping);
    const { bytesRead: read, bytesWritten: written } = device.traffic;
    return { ps: iterations.at(-1)!.end, read, written };
  };

  it('are those of all layers, within a few percent of short ones, and move as many bytes', () => {
    const found = times.prompt(small, 1, 512);
    const exact = exactly('prefill', 1, 512);
    expectNear(found, exact, 0.02);
    expect([found.read, found.written]).toEqual([exact.read, exact.written]);
    const large = small.merge({ layers: 4, hidden: 4096, heads: 64, kvHeads: 64, ffn: 8192 });
    expectNear(times.tokens(large, 100, 1), exactly('decode', 1, 100, large), 0.01);
  });

  it('are exact for models of one or two layers', () => {
    const two = small.set('layers', 2);
    const { iterations } = serve(arch, passOf(two, share, 'decode', 1, 30), mapping.mapping);
    expect(times.tokens(two, 30, 1).ps).toBe(iterations.at(-1)?.end);
  });

  it('need a machine that can do what the mapping says', () => {
    expect(() => new ServingTimes(shippedMachine('sn40l'), mapping, share)).toThrow('sn40l has no array');
  });
});

describe('times on an RDU', () => {
  const arch = shippedMachine('sn40l-node');
  const mapping = new DataflowMapping({ name: 'fused' });

  it('are those of the graph of a pass', () => {
    const workload = passOf(small, share, 'prefill', 2, 48);
    const run = new GraphRunner(arch, mapping).run(languageGraph(workload, batchAt(workload, 0)));
    const found = new DataflowTimes(arch, mapping, share).prompt(small, 2, 48);
    expect(found).toEqual({ ps: run.cycles * 625, read: run.bytesRead, written: run.bytesWritten });
  });

  it('of tokens are those of one after another, within a thousandth', () => {
    const runner = new GraphRunner(arch, mapping);
    const each = Array.from({ length: 9 }, (_, i) => {
      const workload = passOf(small, share, 'decode', 1, 3000 + i);
      const {
        cycles,
        bytesRead: read,
        bytesWritten: written,
      } = runner.run(languageGraph(workload, batchAt(workload, 0)));
      return { ps: cycles * 625, read, written };
    });
    const exact = each.reduce((sum, work) => plus(sum, work), noWork);
    expectNear(new DataflowTimes(arch, mapping, share).tokens(small, 3000, 9), exact, 0.001);
  });

  it('need one', () => {
    expect(() => new DataflowTimes(shippedMachine('dgx-a100'), mapping, share)).toThrow('dgx-a100 has no RDU');
  });
});

it('runs equal work once', () => {
  let runs = 0;
  const key = () => ['a test', small.set('layers', 3), List([new PlannedRequest({ context: 5 })])];
  const work = () => ({ ...noWork, ps: ++runs });
  expect([once(key(), work), once(key(), work)]).toEqual([
    { ...noWork, ps: 1 },
    { ...noWork, ps: 1 },
  ]);
  expect(once([...key(), 2], work).ps).toBe(2);
});
