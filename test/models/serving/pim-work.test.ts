import { describe, expect, it } from 'vitest';
import { findStandard } from '../../../arch/language/dram/find.ts';
import { deviceOf } from '../../../arch/language/dram/resolve.ts';
import { PimWork } from '../../../models/serving/pim-work.ts';
import type { PimProgram, PimStep } from '../../../workloads/language/pim-program.ts';
import { loadServingMapping } from '../../../workloads/language/serving-mapping.ts';
import type { Attention } from '../../../workloads/llm/operator.ts';
import { attentionJobs, attentionRows } from '../../../workloads/pim/attention.ts';

const device = deviceOf(findStandard('neupims-hbm2').standard, {});
const vectorRow = device.rows - 1;
const { mapping } = loadServingMapping('neupims-one-batch');

/** The program with all rows moved but that of the vector. */
function moved(program: PimProgram, row: number): PimProgram {
  return program.map((step): PimStep => {
    if (step.kind === 'repeat') return { ...step, steps: moved(step.steps, row) };
    if (step.kind !== 'commands' || step.at?.row === vectorRow) return step;
    return { ...step, at: { ...step.at, row: (step.at?.row ?? 0) + row } };
  });
}

describe.each([
  ['a head of queries for each of keys', 1],
  ['heads of queries that share keys', 4],
])('attention with %s', (_, group) => {
  const shape = { heads: 12, queries: group, headSize: 128 };
  const attention = (requests: Attention['requests']): Attention => ({
    kind: 'scores',
    name: 'scores',
    phase: 'decode',
    after: [],
    activations: 2,
    cache: 2,
    kvHeads: shape.heads,
    group,
    headSize: shape.headSize,
    requests,
  });

  it('has the programs that each request would have on rows of its own, made once for those of one length', () => {
    const work = new PimWork(device, 4, mapping);
    const requests = [700, 90, 700].map((context, request) => ({ request, queries: 1, context, channel: 1 }));
    let next = 0;
    const made = new Set<PimProgram>();
    for (const layer of [0, 1]) {
      for (const request of requests) {
        const { context: length } = request;
        const rows = attentionRows(device, { ...shape, length });
        const expected = attentionJobs(device, {
          ...shape,
          length,
          keyRow: next,
          valueRow: next + rows.keys,
          vectorRow,
        });
        next += rows.keys + rows.values;
        const all = work.attention(attention(requests), request, layer);
        const scores = all.map((one) => one.scores);
        const context = all.flatMap(({ heads }) => heads.flatMap((head) => head.context));
        for (const { program } of [...scores, ...context]) made.add(program);
        const on = (jobs: typeof scores) => jobs.map(({ program, row = 0 }) => moved(program, row));
        expect(on(scores)).toEqual(expected.logits.map(({ program }) => program));
        const ofHeads = all.flatMap(({ heads }) => heads).length;
        expect(ofHeads).toBe(shape.heads * group);
        const order = expected.logits.flatMap(({ heads }) => heads);
        const inOrder = order.flatMap((head) => expected.context.filter(({ heads }) => heads[0] === head));
        expect(on(context)).toEqual(inOrder.map(({ program }) => program));
      }
    }
    const lengths = [700, 90].map((length) =>
      attentionJobs(device, { ...shape, length, keyRow: 0, valueRow: 0, vectorRow }),
    );
    const parts = lengths.map(({ logits, context }) => logits.length + context.length / (shape.heads * group));
    expect(made.size).toBe(parts.reduce((sum, count) => sum + count, 0));
  });
});
