/** How long a device takes for a language model: what a composition needs to know of its machine. */
import { Map as ImmutableMap, List } from 'immutable';
import type { LlmModel } from '../../workloads/llm/model.ts';
import type { DeviceShare } from '../../workloads/llm/share.ts';
import { PlannedRequest, ServingWorkload } from '../../workloads/llm/workload.ts';

/** From rest to rest: picoseconds, and what is read from and written to the memory that the device computes from. */
export interface Work {
  readonly ps: number;
  readonly read: number;
  readonly written: number;
}

export interface ModelTimes {
  /** Requests with prompts of so many tokens, all at a time; each gets its first token. */
  prompt(model: LlmModel, requests: number, tokens: number): Work;
  /** So many tokens of one request, one after another, of which the first sees `context` tokens. */
  tokens(model: LlmModel, context: number, count: number): Work;
  /** Things that the user should know of how they were found. */
  readonly notes: readonly string[];
}

export const noWork: Work = { ps: 0, read: 0, written: 0 };

/** `a + times x b`. */
export function plus(a: Work, b: Work, times = 1): Work {
  return { ps: a.ps + times * b.ps, read: a.read + times * b.read, written: a.written + times * b.written };
}

/** Tokens that one of them, in their middle, stands for. */
export const stride = 64;

/** Tokens one after another: the time of each is affine in its context, but for steps of tiles, so that few of them are run. */
export function byMiddles(context: number, count: number, token: (context: number) => Work): Work {
  let all = noWork;
  for (let done = 0; done < count; done += stride) {
    const some = Math.min(stride, count - done);
    all = plus(all, token(context + done + Math.floor((some - 1) / 2)), some);
  }
  return all;
}

/** One pass through a whole model: all prompts of a length, or a token of each request that sees so many. */
export function passOf(
  model: LlmModel,
  share: DeviceShare,
  phase: 'prefill' | 'decode',
  requests: number,
  context: number,
): ServingWorkload {
  const planned = Array.from({ length: requests }, (_, request) => new PlannedRequest({ request, context }));
  return new ServingWorkload({ model, layers: model.layers, share, phase, requests: List(planned) });
}

let known = ImmutableMap<List<unknown>, Work>();

/** Work by the value of all that it depends on; it is run once in a process. */
export function once(key: readonly unknown[], run: () => Work): Work {
  const value = List(key);
  const before = known.get(value);
  if (before) return before;
  const work = run();
  known = known.set(value, work);
  return work;
}
