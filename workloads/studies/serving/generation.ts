/** Many tokens of one request, of which a few are simulated. */
import type { Arch } from '../../../arch/language/arch.ts';
import { measureServing } from '../../../models/serving/measure.ts';
import { serve } from '../../../models/serving/serve.ts';
import { fits } from '../../language/serving-check.ts';
import type { ServingMapping } from '../../language/serving-mapping.ts';
import { cacheBytesPerToken, weightBytesOf } from '../../llm/share.ts';
import type { ServingWorkload } from '../../llm/workload.ts';

export interface Generation {
  readonly arch: Arch;
  readonly workload: ServingWorkload;
  readonly mapping: ServingMapping;
}

/** Of all tokens together. */
export interface Generated {
  readonly tokens: number;
  readonly seconds: number;
  readonly joules: number;
  /** Seconds in which the vector unit is busy. */
  readonly vector: number;
  /** Commands of the memory, by name. */
  readonly commands: { readonly [name: string]: number };
}

/** Whether weights, and keys and values of all requests with their last tokens, have room. */
export function hasRoom({ arch, workload, mapping }: Generation): boolean {
  const { model, share, layers, isWhole, requests, generate } = workload;
  const tokens = requests.reduce((sum, { context }) => sum + context + generate - 1, 0);
  const footprint = {
    weights: weightBytesOf(model, share, layers, isWhole),
    cache: cacheBytesPerToken(model, share, layers) * tokens,
  };
  return fits(footprint, mapping, arch).length === 0;
}

/**
 * All tokens that a workload generates. A token of a longer context takes more products of the same kind, so that its time is
 * affine in the context but for steps of as many tokens as banks share. Of every `stride` tokens, by which their number can
 * be divided, the one in the middle is simulated with all layers, and stands for them; one after the other, so that as many
 * refreshes fall among them as among all.
 * @throws InputError when the machine cannot run it
 */
export function generated({ arch, workload, mapping }: Generation, stride: number): Generated {
  const { generate: tokens } = workload;
  if (tokens % stride !== 0) throw new Error(`${tokens} tokens cannot be cut into parts of ${stride}`);
  const requests = workload.requests.map((one) => one.set('context', one.context + Math.floor(stride / 2)));
  const some = workload.merge({ requests, generate: tokens / stride, stride });
  const result = measureServing({ arch, workload: some, mapping, overrides: [] }, serve(arch, some, mapping));
  const seconds = stride * result.seconds;
  const vector = result.engines.find(({ kind }) => kind === 'vector');
  const commands = Object.entries(result.memories[0]?.commands ?? {});
  return {
    tokens,
    seconds,
    joules: stride * result.energy.total,
    vector: seconds * (vector?.utilization ?? 0),
    commands: Object.fromEntries(commands.map(([name, count]) => [name, stride * count])),
  };
}
