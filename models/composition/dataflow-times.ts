/** Times of language models on RDUs, as dataflow graphs. */
import type { Arch } from '../../arch/language/arch.ts';
import type { DataflowMapping } from '../../workloads/language/dataflow-mapping.ts';
import type { LlmModel } from '../../workloads/llm/model.ts';
import type { DeviceShare } from '../../workloads/llm/share.ts';
import { batchAt } from '../../workloads/llm/workload.ts';
import { languageGraph } from '../dataflow/language-graph.ts';
import { GraphRunner } from '../dataflow/run.ts';
import { picosecondsPerSecond } from '../kernel/clock.ts';
import { byMiddles, type ModelTimes, once, passOf, stride, type Work } from './times.ts';

export class DataflowTimes implements ModelTimes {
  readonly notes = [`times of models are those of one token in ${stride}; energy is not counted`];
  readonly #arch: Arch;
  readonly #runner: GraphRunner;
  readonly #share: DeviceShare;

  /** @throws InputError when the machine has no RDU with a memory */
  constructor(arch: Arch, mapping: DataflowMapping, share: DeviceShare) {
    this.#arch = arch;
    this.#runner = new GraphRunner(arch, mapping);
    this.#share = share;
  }

  /** @throws InputError when a section does not fit */
  prompt(model: LlmModel, requests: number, tokens: number): Work {
    return this.#run(model, 'prefill', requests, tokens);
  }

  tokens(model: LlmModel, context: number, count: number): Work {
    return byMiddles(context, count, (middle) => this.#run(model, 'decode', 1, middle));
  }

  #run(model: LlmModel, phase: 'prefill' | 'decode', requests: number, context: number): Work {
    const workload = passOf(model, this.#share, phase, requests, context);
    return once([this.#arch, this.#runner.mapping, workload], () => {
      const { seconds, bytesRead, bytesWritten } = this.#runner.run(languageGraph(workload, batchAt(workload, 0)));
      return { ps: Math.round(seconds * picosecondsPerSecond), read: bytesRead, written: bytesWritten };
    });
  }
}
