/** What a run did not have to do. */
import { format } from 'd3-format';
import type { Result } from '../models/result.ts';
import { count, percent } from './format.ts';

const scales = [
  { divisor: 1e9, name: 'billion ' },
  { divisor: 1e6, name: 'million ' },
] as const;

/** `12.9 of 12.9 billion rounds, exactly`: nothing else in the result would be different. Null when none was skipped so. */
export function skippedRounds(result: Result): string | null {
  const { interval, sections = [] } = result.fastForward ?? {};
  const skipped = sections.reduce((sum, section) => sum + section.rounds - section.run, 0);
  return skipped === 0 || interval ? null : `${rounds(result, skipped)}, exactly`;
}

/** `1.2 of 48.0 million rounds: 12,345,678 cycles ± 0.4 % (95 %)`: those that were run. Null where nothing is estimated. */
export function sampledRounds(result: Result): string | null {
  const { interval, sections = [] } = result.fastForward ?? {};
  if (!interval) return null;
  const run = sections.reduce((sum, section) => sum + section.run, 0);
  const within = percentFrom(interval.seconds / result.seconds);
  return `${rounds(result, run)}: ${count(result.cycles)} cycles \u00b1 ${within} (95 %)`;
}

/** Some of all rounds. */
function rounds({ fastForward }: Result, some: number): string {
  const all = (fastForward?.sections ?? []).reduce((sum, section) => sum + section.rounds, 0);
  const scale = scales.find(({ divisor }) => all >= divisor);
  const written = (n: number): string => (scale ? format(',.1f')(n / scale.divisor) : count(n));
  return `${written(some)} of ${written(all)} ${scale?.name ?? ''}rounds`;
}

/** Rounded up, so that an interval is never wider than what is told of it. */
function percentFrom(share: number): string {
  return percent(Math.ceil(share * 1000) / 1000);
}
