/** Runs of a small language model, as reports see them. */
import { join } from 'node:path';
import { packageRoot } from '../../arch/language/library.ts';
import type { Result } from '../../models/result.ts';
import { simulateServing } from '../../models/serving/simulate.ts';
import { loadServingMapping } from '../../workloads/language/serving-mapping.ts';
import { parseServing } from '../../workloads/llm/load.ts';
import { shippedMachine } from '../models/machines.ts';

const model = '{ layers: 3, hidden: 256, heads: 4, ffn: 512, vocabulary: 1000 }';

export const decodeText = `workload: small
model: ${model}
layers: 2
parallel: { tensor: 2 }
phase: decode
batch: { requests: 9, context: "uniform(20, 200)" }
generate: 2
`;

export const serviceText = `workload: service
model: ${model}
serve: { arrivals: poisson(200000/s), prompt: "uniform(8, 40)", output: "uniform(1, 8)", requests: 10, most: 3 }
`;

export function served(machine: string, mapping: string, text: string): Result {
  return simulateServing({
    arch: shippedMachine(machine),
    workload: parseServing(text, 'small.yaml'),
    mapping: loadServingMapping(join(packageRoot, 'workloads/mappings', `${mapping}.yaml`)),
  });
}

let [decoded, service]: (Result | undefined)[] = [];

/** Two layers of nine requests that decode two tokens, in two sub-batches, with attention in memory. */
export function decodeSample(): Result {
  decoded ??= served('neupims', 'neupims', decodeText);
  return decoded;
}

/** Ten requests that come and go, three at a time, all layers, on ordinary DRAM. */
export function serviceSample(): Result {
  service ??= served('neupims-npu-only', 'neupims-npu-only', serviceText);
  return service;
}
