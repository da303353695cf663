/** Random models, devices and batches, small enough to be counted. */
import fc from 'fast-check';
import type { Batch } from '../../../workloads/llm/batch.ts';
import { LlmModel } from '../../../workloads/llm/model.ts';
import type { Attended } from '../../../workloads/llm/operator.ts';
import { Routing } from '../../../workloads/llm/routing.ts';
import { DeviceShare } from '../../../workloads/llm/share.ts';

/** Heads, networks and experts that 1, 2 or 4 devices can share. */
export const anyModel: fc.Arbitrary<LlmModel> = fc
  .record({
    layers: fc.integer({ min: 1, max: 4 }),
    hidden: fc.integer({ min: 1, max: 24 }),
    kvHeads: fc.constantFrom(1, 2, 4),
    group: fc.constantFrom(1, 2, 3),
    headSize: fc.integer({ min: 1, max: 6 }),
    ffn: fc.integer({ min: 1, max: 8 }).map((n) => 4 * n),
    gated: fc.boolean(),
    gatedExperts: fc.boolean(),
    experts: fc.constantFrom(0, 4, 8),
    activeExperts: fc.integer({ min: 1, max: 3 }),
    expertEvery: fc.constantFrom(1, 2),
    vocabulary: fc.integer({ min: 4, max: 40 }),
    positions: fc.constantFrom(0, 8),
    rotary: fc.boolean(),
    tied: fc.boolean(),
    biases: fc.boolean(),
    norm: fc.constantFrom('layer' as const, 'rms' as const),
    activation: fc.constantFrom('gelu' as const, 'silu' as const, 'relu' as const),
  })
  .map(({ group, ...shape }) => new LlmModel({ name: 'any', ...shape, heads: 4 * group }));

/** Devices that can share the model, and one of them. */
export function anyShare(model: LlmModel): fc.Arbitrary<DeviceShare> {
  return fc
    .record({ tensor: fc.constantFrom(1, 2, 4), data: fc.constantFrom(1, 2), expert: fc.constantFrom(1, 2, 4) })
    .filter(({ tensor, data, expert }) => {
      if (model.experts === 0) return expert === 1 && data === 1;
      return (tensor * data) % expert === 0 && expert % data === 0;
    })
    .chain((devices) =>
      fc.nat({ max: devices.tensor * devices.data - 1 }).map((device) => new DeviceShare({ ...devices, device })),
    );
}

const generating = fc.integer({ min: 1, max: 9 }).map((context) => ({ queries: 1, context }));
const beginning = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.nat({ max: 5 })).map(([queries, before]) => {
  return { queries, context: queries + before };
});

const numbered = (requests: readonly Omit<Attended, 'request'>[]): Attended[] =>
  requests.map((one, request) => ({ request, ...one }));

/** With at least one request. */
export const anyBatch: fc.Arbitrary<Batch> = fc
  .record({
    prefill: fc.array(beginning, { maxLength: 3 }).map(numbered),
    decode: fc.array(generating, { maxLength: 4 }).map(numbered),
    iteration: fc.nat({ max: 5 }),
    routing: fc.constantFrom('even' as const, 'uniform' as const, 'zipf' as const).map((kind) => new Routing({ kind })),
  })
  .filter(({ prefill, decode }) => prefill.length + decode.length > 0);
