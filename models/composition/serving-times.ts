/** Times of language models on arrays, vector units and DRAM, by the simulator of serving. */
import type { Arch } from '../../arch/language/arch.ts';
import { InputError } from '../../arch/language/diagnostics.ts';
import { checkServing } from '../../workloads/language/serving-check.ts';
import type { LoadedServingMapping, ServingMapping } from '../../workloads/language/serving-mapping.ts';
import type { LlmModel } from '../../workloads/llm/model.ts';
import type { DeviceShare } from '../../workloads/llm/share.ts';
import { serve } from '../serving/serve.ts';
import { byMiddles, type ModelTimes, noWork, once, passOf, plus, stride, type Work } from './times.ts';

/**
 * Layers of a model are equal, and operators of a layer begin when those before have ended. So models of one layer and of two
 * are simulated, each from rest with embeddings and the last product, and their difference is added for every further layer.
 * What that leaves out is where in a layer the refreshes of DRAM fall: less than half a percent of Llama 2 7B on eight GPUs,
 * and up to three where a layer takes but some microseconds.
 */
export class ServingTimes implements ModelTimes {
  readonly notes = [
    `times of models are those of one layer and of a further one, and of one token in ${stride}; energy is not counted`,
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
    return byMiddles(context, count, (middle) => this.#whole(model, 'decode', 1, middle));
  }

  #whole(model: LlmModel, phase: 'prefill' | 'decode', requests: number, context: number): Work {
    // Layers with experts of their own come once in every so many.
    const period = model.experts > 0 ? model.expertEvery : 1;
    if (model.layers <= 2 * period || model.layers % period > 0) return this.#run(model, phase, requests, context);
    const [one = noWork, two = noWork] = [1, 2].map((n) =>
      this.#run(model.set('layers', n * period), phase, requests, context),
    );
    const further = model.layers / period - 1;
    return plus(plus(one, one, -further), two, further);
  }

  #run(model: LlmModel, phase: 'prefill' | 'decode', requests: number, context: number): Work {
    const workload = passOf(model, this.#share, phase, requests, context);
    return once([this.#arch, this.#mapping, workload], () => {
      const { iterations, device } = serve(this.#arch, workload, this.#mapping);
      const { bytesRead, bytesWritten } = device.traffic;
      return { ps: iterations.at(-1)?.end ?? 0, read: bytesRead, written: bytesWritten };
    });
  }
}
