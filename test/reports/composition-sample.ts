/** A small composition of experts, as reports see it. */
import { simulateComposition } from '../../models/composition/simulate.ts';
import type { Result } from '../../models/result.ts';
import { parseComposition } from '../../workloads/llm/composition-load.ts';
import { shippedMachine } from '../models/machines.ts';

export const compositionText = `workload: few
experts: 12
expert: { layers: 4, hidden: 256, heads: 8, ffn: 512, vocabulary: 1000 }
router: { layers: 2, hidden: 256, heads: 8, ffn: 512, vocabulary: 1000 }
dtype: bf16
parallel: { tensor: 8 }
batch: 3
batches: 10
prompt: 64
output: 5
`;

let sample: Result | undefined;

/** With room for a few experts. */
export function compositionSample(): Result {
  const arch = shippedMachine('sn40l-node', ['parts.hbm.capacity=4 MB']);
  sample ??= simulateComposition({ arch, composition: parseComposition(compositionText, 'few.yaml') });
  return sample;
}
