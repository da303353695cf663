/** How long a device takes for a language model: what a composition needs to know of its machine. */
import type { LlmModel } from '../../workloads/llm/model.ts';

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
