/** Attention in a memory that computes, head by head: scores there, softmax on the vector unit or there, context there. */
import type { Attention } from '../../workloads/llm/operator.ts';
import type { Device } from './device.ts';
import type { HeadJobs, PimJob, PimWork } from './pim-work.ts';
import { softmaxCycles } from './steps.ts';

type Part = 'scores' | 'softmax' | 'context';

export class AttentionChain {
  readonly #device: Device;
  readonly #work: PimWork;
  /** Heads that have not done a part, when the last one so far had, and who waits for all. */
  readonly #parts: { readonly [part in Part]: { left: number; last: number; done: ((ps: number) => void) | null } };

  /** Begins the scores of all requests. */
  constructor(operator: Attention, layer: number, work: PimWork, device: Device, ps: number) {
    this.#device = device;
    this.#work = work;
    const heads = operator.requests.flatMap((request) => work.heads(operator, request, layer));
    const part = () => ({ left: heads.length, last: ps, done: null });
    this.#parts = { scores: part(), softmax: part(), context: part() };
    for (const head of heads) this.#job(ps, head.scores, (end) => this.#scored(head, end));
  }

  /** Tells when all heads have done a part. */
  whenDone(part: Part, ps: number, done: (ps: number) => void): void {
    const own = this.#parts[part];
    if (own.left === 0) done(Math.max(ps, own.last));
    else own.done = done;
  }

  #scored(head: HeadJobs, ps: number): void {
    this.#finish('scores', ps);
    const { vector, parts, events } = this.#device;
    if (vector === null || parts.vector === null) throw new Error(`${this.#device.arch.name} has no vector unit`);
    const end = vector.occupy(ps, softmaxCycles(parts.vector.part, head.elements, head.rows));
    events.at(end, () => this.#weighed(head, end));
  }

  #weighed(head: HeadJobs, ps: number): void {
    this.#finish('softmax', ps);
    const context = (at: number) => this.#job(at, head.context, (end) => this.#finish('context', end));
    if (!this.#work.fillsFromRow) {
      context(ps);
      return;
    }
    const { pim, events } = this.#device;
    let left = pim!.write(ps, head.context.channel, 2 * head.elements, (end) => {
      events.at(end, () => {
        if (--left === 0) context(end);
      });
    });
  }

  #job(ps: number, { channel, program }: PimJob, done: (ps: number) => void): void {
    const { pim, events } = this.#device;
    let left = pim!.job(ps, channel, program, (end) => {
      events.at(end, () => {
        if (--left === 0) done(end);
      });
    });
  }

  #finish(part: Part, ps: number): void {
    const own = this.#parts[part];
    own.last = ps;
    if (--own.left === 0) own.done?.(ps);
  }
}
