/** What goes through the model together. */
import type { Attended } from './operator.ts';
import type { Routing } from './routing.ts';

/** One iteration: requests that begin, with their prompts, and requests that generate a token each. */
export interface Batch {
  readonly prefill: readonly Attended[];
  readonly decode: readonly Attended[];
  /** Which of several iterations it is, from 0; the routing of tokens to experts differs between them. */
  readonly iteration: number;
  readonly routing: Routing;
}

/** Tokens of a batch. */
export function tokensOf({ prefill, decode }: Batch): number {
  return [...prefill, ...decode].reduce((all, { queries }) => all + queries, 0);
}
