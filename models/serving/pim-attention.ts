/** Attention in a memory that computes, head by head: scores there, softmax on the vector unit or there, context there. */
import type { Attention } from '../../workloads/llm/operator.ts';
import type { Device } from './device.ts';
import type { Run } from './memory.ts';
import type { Instance } from './operators.ts';
import type { HeadWork, PimJob, PimWork, ScoreWork } from './pim-work.ts';
import { softmaxCycles } from './steps.ts';

type Part = 'scores' | 'softmax' | 'context';

/** Told when a part has been done of all heads, and when the first of them began with it. */
type Done = (ps: number, began: number) => void;

export class AttentionChain {
  readonly #device: Device;
  readonly #work: PimWork;
  readonly #output: Run;
  /** What has not done a part, when the first one began with it, when the last one so far had done it, and who waits for all. */
  readonly #parts: { readonly [part in Part]: { left: number; began: number; last: number; done: Done | null } };

  /** Begins the scores of all requests. `output`: where contexts are written. */
  constructor(operator: Attention, { layer, output }: Instance, work: PimWork, device: Device, ps: number) {
    this.#device = device;
    this.#work = work;
    this.#output = output;
    const all = operator.requests.flatMap((request) => work.attention(operator, request, layer));
    const heads = all.reduce((sum, one) => sum + one.heads.length, 0);
    const part = (left: number) => ({ left, began: Number.POSITIVE_INFINITY, last: ps, done: null });
    this.#parts = { scores: part(all.length), softmax: part(heads), context: part(heads + 1) };
    this.#parts.scores.began = ps;
    for (const one of all) this.#jobs(ps, [one.scores], (end) => this.#scored(one, end));
  }

  /** Tells when a part has been done of all. */
  whenDone(part: Part, ps: number, done: Done): void {
    const own = this.#parts[part];
    if (own.left === 0) done(Math.max(ps, own.last), Math.min(ps, own.began));
    else own.done = done;
  }

  #scored({ heads }: ScoreWork, ps: number): void {
    this.#finish('scores', ps);
    const { vector, parts, events } = this.#device;
    if (vector === null || parts.vector === null) throw new Error(`${this.#device.arch.name} has no vector unit`);
    let shape: HeadWork | undefined;
    let cycles = 0;
    for (const head of heads) {
      // Heads of one request are mostly alike.
      if (shape?.elements !== head.elements || shape.rows !== head.rows)
        cycles = softmaxCycles(parts.vector.part, head.elements, head.rows);
      shape = head;
      const end = vector.occupy(ps, cycles);
      this.#begin('softmax', Math.max(ps, end - vector.clock.edge(cycles)));
      events.at(end, () => this.#weighed(head, end));
    }
  }

  /** Weights go where the memory takes them from, which may be a row of its own. */
  #weighed(head: HeadWork, ps: number): void {
    this.#finish('softmax', ps);
    this.#begin('context', ps);
    const begin = (at: number): void => this.#jobs(at, head.context, (end) => this.#summed(head, end));
    if (!this.#work.fillsFromRow) {
      begin(ps);
      return;
    }
    const { pim, events } = this.#device;
    const channel = head.context[0]?.channel ?? null;
    const bytes = 2 * head.elements;
    let left = pim!.write(ps, channel, bytes, (end) => {
      events.at(end, () => {
        if (--left === 0) begin(end);
      });
    });
  }

  /** Results of several products, or of parts of one, are added up. */
  #summed({ additions }: HeadWork, ps: number): void {
    const end = this.#device.add(additions, ps);
    this.#device.events.at(end, () => this.#finish('context', end));
  }

  /** Tells when all of some jobs are done. */
  #jobs(ps: number, jobs: readonly PimJob[], done: (ps: number) => void): void {
    const { pim, events } = this.#device;
    let left = 0;
    const ended = (end: number): void => {
      events.at(end, () => {
        if (--left === 0) done(end);
      });
    };
    for (const { channel, program, row } of jobs) left += pim!.job(ps, channel, program, ended, row);
  }

  /** The last of all: when every head has its context, they are written together. */
  #finish(part: Part, ps: number): void {
    const own = this.#parts[part];
    own.last = ps;
    own.left--;
    if (own.left === 0) own.done?.(ps, own.began);
    else if (part === 'context' && own.left === 1) this.#write(ps);
  }

  #begin(part: Part, ps: number): void {
    const own = this.#parts[part];
    own.began = Math.min(own.began, ps);
  }

  #write(ps: number): void {
    const { pim, events } = this.#device;
    if (this.#output.width === 0) {
      this.#finish('context', ps);
      return;
    }
    pim!.submit(ps, [this.#output], true, (end) => {
      events.at(end, () => this.#finish('context', end));
    });
  }
}
