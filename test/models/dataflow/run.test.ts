import { List } from 'immutable';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../../arch/language/diagnostics.ts';
import { loadArch } from '../../../arch/language/load.ts';
import { cascadeGraph } from '../../../models/dataflow/cascade-graph.ts';
import type { DataflowGraph } from '../../../models/dataflow/graph.ts';
import { languageGraph } from '../../../models/dataflow/language-graph.ts';
import { type GraphRun, GraphRunner, runGraph } from '../../../models/dataflow/run.ts';
import { simulateDataflow } from '../../../models/dataflow/simulate.ts';
import { DataflowMapping, parseDataflowMapping } from '../../../workloads/language/dataflow-mapping.ts';
import { loadWorkload, parseWorkload } from '../../../workloads/language/load.ts';
import { loadServing, parseServing } from '../../../workloads/llm/load.ts';
import { flops } from '../../../workloads/llm/operator.ts';
import { layerOperators } from '../../../workloads/llm/operators.ts';
import { batchAt } from '../../../workloads/llm/workload.ts';
import { tickPipeline } from '../../reference/rdu-pipeline.ts';

const chip = (set: readonly string[] = []) =>
  loadArch('sn40l', { set: ['rdu.grid={ rows: 4, columns: 4 }', 'rdu.agcu.count=4', 'hbm.latency=20 ns', ...set] });

const chain = parseWorkload(
  `workload: chain
ranks: { B: 8, K: 16, J: 32, L: 16 }
inputs: X[b,k]  F[k,j]  W[b,j]  G[j,l]
output: Y[b,l]
cascade: |
  A[b,j] = X[b,k] * F[k,j]
  M[b,j] = A[b,j] * W[b,j]
  Y[b,l] = M[b,j] * G[j,l]
`,
  'chain.yaml',
);

const intensity = ({ flops: all, bytesRead, bytesWritten }: GraphRun): number => all / (bytesRead + bytesWritten);

describe('a cascade on a grid', () => {
  it('moves what is fused through no memory', () => {
    const graph = cascadeGraph(chain, 'B');
    const bytes = (fuse: DataflowMapping['fuse']) => {
      const run = runGraph(chip(), graph, new DataflowMapping({ fuse, tile: 2 }));
      return [run.kernels, run.bytesRead, run.bytesWritten];
    };
    const [x, f, w, g, y, between] = [8 * 16 * 2, 16 * 32 * 2, 8 * 32 * 2, 32 * 16 * 2, 8 * 16 * 2, 8 * 32 * 2];
    expect(bytes('all')).toEqual([1, x + f + w + g, y]);
    expect(bytes(List([List(['A', 'M'])]))).toEqual([2, x + f + w + g + between, y + between]);
    expect(bytes('none')).toEqual([3, x + f + w + g + 2 * between, y + 2 * between]);
  });

  it('runs as the pipeline does that steps every cycle', () => {
    for (const fuse of ['all', 'none'] as const) {
      const run = runGraph(chip(), cascadeGraph(chain, 'B'), new DataflowMapping({ fuse, tile: 2 }));
      for (const { run: section } of run.steps) {
        const { cycles, stages, moved } = section.pipeline;
        expect({ cycles, stages, moved }).toEqual(tickPipeline(section.placed.spec));
      }
    }
  });

  it('has PCUs in proportion to work, none twice, and loads no link beyond its width', () => {
    const { steps } = runGraph(
      loadArch('sn40l'),
      cascadeGraph(loadWorkload('monarch-fft'), 'B'),
      new DataflowMapping({ tile: 16 }),
    );
    for (const { run } of steps) {
      const { operators, routes, spec } = run.placed;
      const used = operators.reduce((sum, { pcus }) => sum + pcus, 0);
      expect(used).toBeGreaterThan(0.9 * 1040);
      expect(used).toBeLessThanOrEqual(1040);
      const firsts = operators.map(({ first }) => first);
      expect(firsts.slice(1)).toEqual(operators.slice(0, -1).map(({ first, pcus }) => first + pcus));
      const widest = Math.max(...routes.linkBytes) / 128;
      expect(widest).toBeLessThanOrEqual(run.pipeline.cycles);
      expect(run.pipeline.cycles).toBeGreaterThanOrEqual(Math.max(...spec.stages.map((s) => s.firings * s.interval)));
    }
  });

  it('takes the launches of its kernels', () => {
    const graph = cascadeGraph(chain, 'B');
    const of = (launch: 'software' | 'hardware') =>
      runGraph(chip(), graph, new DataflowMapping({ fuse: 'none', launch, tile: 2 }));
    expect(of('software').cycles - of('hardware').cycles).toBe(3 * (40e-6 - 2e-6) * 1.6e9);
  });

  it('has the operations per byte that the paper gives, within 5 %', () => {
    const graph = cascadeGraph(loadWorkload('monarch-fft'), 'B');
    const of = (fuse: DataflowMapping['fuse']) =>
      intensity(runGraph(loadArch('sn40l'), graph, new DataflowMapping({ fuse, tile: 16 })));
    expect(of('none') / 39.5).toBeCloseTo(1.042, 3);
    expect(of(List([List(['Gemm0', 'Mul', 'Transpose'])])) / 102.6).toBeCloseTo(1.003, 3);
    expect(of('all') / 410.4).toBeCloseTo(1.001, 3);
  });
});

const serving = (phase: string, requests: number) =>
  parseServing(
    `workload: w
model: llama-2-7b
dtype: bf16
parallel: { tensor: 8 }
phase: ${phase}
batch: { requests: ${requests}, context: 512 }
`,
    'w.yaml',
  ).workload;

describe('a language model as a graph', () => {
  it.each(['prefill', 'decode'])('does what the operators of its layers do: %s', (phase) => {
    const workload = serving(phase, 2);
    const batch = batchAt(workload, 0);
    const layer = languageGraph(workload, batch).blocks.find(({ name }) => name === 'layer')!;
    const operators = layerOperators(workload.model, 0, workload.share, batch);
    expect(layer.repeat).toBe(32);
    expect(layer.operators.map((one) => one.flops).toArray()).toEqual(operators.map(flops).toArray());
  });

  it('reads its weights and its cache once for a token', () => {
    const workload = serving('decode', 1);
    const run = runGraph(loadArch('sn40l-node'), languageGraph(workload, batchAt(workload, 0)), new DataflowMapping());
    const { model, share } = workload;
    const products = 2 * 32 * (model.layerParameters(0, { tensor: 8, expert: 1, expertTensor: 8 }) - 2 * 4096);
    const cache = 2 * 32 * 511 * (4096 / 8) * share.cache;
    const head = 2 * (32000 / 8) * 4096;
    // Besides, tokens between layers.
    expect(run.bytesRead).toBeGreaterThan(products + cache + head);
    expect(run.bytesRead).toBeLessThan(1.001 * (products + cache + head));
  });

  it('runs layers that are alike once', () => {
    const workload = serving('decode', 1);
    const graph = languageGraph(workload, batchAt(workload, 0));
    const runner = new GraphRunner(loadArch('sn40l-node'), new DataflowMapping());
    const [first, second] = [runner.run(graph), runner.run(graph)];
    expect(second.steps[1]!.run).toBe(first.steps[1]!.run);
    expect(first.kernels).toBe(34);
  });

  it('accounts for every cycle of every stage', () => {
    const result = simulateDataflow({
      arch: loadArch('sn40l-node'),
      workload: loadServing('llama2-7b-decode'),
      mapping: parseDataflowMapping('mapping: m\nfuse: all\n', 'm.yaml'),
    });
    for (const { name, cycles, busy, waitInput, waitOutput, waitMemory, idle } of result.engines) {
      expect([name, busy + waitInput + waitOutput + waitMemory + idle]).toEqual([name, cycles]);
      expect(idle).toBeGreaterThanOrEqual(0);
    }
    expect(result.memories[0]!.bandwidth / result.memories[0]!.peakBandwidth).toBeCloseTo(0.82, 2);
  });
});

describe('what cannot be placed', () => {
  const message = (run: () => unknown): string => {
    try {
      run();
    } catch (error) {
      if (error instanceof InputError) return error.message;
      throw error;
    }
    return 'no mistake';
  };
  const graph: DataflowGraph = cascadeGraph(chain, 'B');
  const mapping = new DataflowMapping({ tile: 2 });

  it('names tensors that are too large, what they need and what there is', () => {
    const small = chip(['rdu.pmu.capacity=64 B']);
    expect(message(() => runGraph(small, graph, mapping))).toContain(
      'buffers need 1.408 kB of PMUs, of 1 KiB: F 1 KiB, A 256 B, X 128 B',
    );
  });

  it('is cut where it is too large for one section', () => {
    const run = runGraph(chip(['rdu.pmu.capacity=128 B']), graph, mapping);
    expect(run.kernels).toBe(2);
  });

  it('names a section with more operators than PCUs', () => {
    const one = chip(['rdu.grid={ rows: 1, columns: 1 }']);
    const fused = new DataflowMapping({ tile: 2, fuse: List([List(['A', 'M'])]) });
    expect(message(() => runGraph(one, graph, fused))).toContain(
      'the section A M needs 2 PCUs, one for each operator that computes, of 1',
    );
  });

  it('names an operation that no PCU can do, and operators that there are not', () => {
    const poor = chip(['rdu.pcu={ lanes: 32, stages: 6, operations: { mac: 1 } }']);
    const relu = parseWorkload(
      'workload: w\nranks: { B: 8 }\ninputs: X[b]\noutput: Y[b]\ncascade: |\n  Y[b] = exp(X[b])\n',
      'w.yaml',
    );
    expect(message(() => runGraph(poor, cascadeGraph(relu), mapping))).toContain('Y needs exp, which no PCU can do');
    const odd = new DataflowMapping({ fuse: List([List(['Gemm'])]) });
    expect(message(() => runGraph(chip(), graph, odd))).toContain('there is no operator "Gemm" to fuse');
    expect(message(() => runGraph(loadArch('fusemax'), graph, mapping))).toContain('fusemax has no RDU');
  });

  it('tells a cascade that iterates from one that does not', () => {
    expect(message(() => cascadeGraph(loadWorkload('attention-1-pass')))).toContain('needs its own result');
  });
});
