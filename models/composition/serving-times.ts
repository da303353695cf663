/** Times of language models on arrays, vector units and DRAM, by the simulator of serving. */
import { Map as ImmutableMap, List } from 'immutable';
import type { Arch } from '../../arch/language/arch.ts';
import { InputError } from '../../arch/language/diagnostics.ts';
import { checkServing } from '../../workloads/language/serving-check.ts';
import type { LoadedServingMapping, ServingMapping } from '../../workloads/language/serving-mapping.ts';
import type { LlmModel } from '../../workloads/llm/model.ts';
import type { DeviceShare } from '../../workloads/llm/share.ts';
import { PlannedRequest, ServingWorkload } from '../../workloads/llm/workload.ts';
import { serve } from '../serving/serve.ts';
import { type ModelTimes, noWork, plus, type Work } from './times.ts';

/** Tokens that one of them, in their middle, stands for: its time is affine in the context, but for steps of tiles. */
const stride = 64;

/** Times by what they depend on: equal work is simulated once in a process. */
let known = ImmutableMap<List<unknown>, Work>();

/**
 * Layers of a model are equal, and operators of a layer begin when those before have ended. So models of one layer and of two
 * are simulated, each from rest with embeddings and the last product, and their difference is added for every further layer.
 * What that leaves out is where in a layer the refreshes of DRAM fall.
 */
export class ServingTimes implements ModelTimes {
  readonly notes = [
    `times of models are those of one layer and of a further one, and of one token for every ${stride}; energy is not counted`,
  ];
  readonly #arch: Arch;
  readonly #mapping: ServingMapping;
  readonly #share: DeviceShare;

  /** @throws InputError when the machine cannot do what the mapping says */
  constructor(arch: Arch, mapping: LoadedServingMapping, share: DeviceShare) {
    const mistakes = checkServing(mapping, arch);
    if (mistakes.length > 0) throw new InputError(mistakes);
    this.#arch = arch;
    this.#mapping = mapping.mapping;
    this.#share = share;
  }

  prompt(model: LlmModel, requests: number, tokens: number): Work {
    return this.#whole(model, 'prefill', requests, tokens);
  }

  tokens(model: LlmModel, context: number, count: number): Work {
    let all = noWork;
    for (let done = 0; done < count; done += stride) {
      const some = Math.min(stride, count - done);
      const middle = context + done + Math.floor((some - 1) / 2);
      all = plus(all, this.#whole(model, 'decode', 1, middle), some);
    }
    return all;
  }

  #whole(model: LlmModel, phase: 'prefill' | 'decode', requests: number, context: number): Work {
    // Layers with experts of their own come once in every so many.
    const period = model.experts > 0 ? model.expertEvery : 1;
    if (model.layers <= 2 * period || model.layers % period > 0) return this.#run(model, phase, requests, context);
    const [one, two] = [1, 2].map((n) => this.#run(model.set('layers', n * period), phase, requests, context));
    const further = model.layers / period - 1;
    return plus(plus(one ?? noWork, one ?? noWork, -further), two ?? noWork, further);
  }

  #run(model: LlmModel, phase: 'prefill' | 'decode', requests: number, context: number): Work {
    const planned = Array.from({ length: requests }, (_, request) => new PlannedRequest({ request, context }));
    const { layers } = model;
    const workload = new ServingWorkload({ model, layers, share: this.#share, phase, requests: List(planned) });
    const key = List<unknown>([this.#arch, this.#mapping, workload]);
    const before = known.get(key);
    if (before) return before;
    const { iterations, device } = serve(this.#arch, workload, this.#mapping);
    const { bytesRead, bytesWritten } = device.traffic;
    const work = { ps: iterations.at(-1)?.end ?? 0, read: bytesRead, written: bytesWritten };
    known = known.set(key, work);
    return work;
  }
}
