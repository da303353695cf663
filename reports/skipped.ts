/** What a run did not have to do. */
import { format } from 'd3-format';
import type { Result } from '../models/result.ts';
import { count } from './format.ts';

const scales = [
  { divisor: 1e9, name: 'billion ' },
  { divisor: 1e6, name: 'million ' },
] as const;

/** `12.9 of 12.9 billion rounds, exactly`: nothing else in the result would be different. Null when all were run. */
export function skippedRounds({ fastForward }: Result): string | null {
  const sections = fastForward?.sections ?? [];
  const rounds = sections.reduce((sum, section) => sum + section.rounds, 0);
  const skipped = sections.reduce((sum, section) => sum + section.rounds - section.run, 0);
  if (skipped === 0) return null;
  const scale = scales.find(({ divisor }) => rounds >= divisor);
  const written = (n: number): string => (scale ? format(',.1f')(n / scale.divisor) : count(n));
  return `${written(skipped)} of ${written(rounds)} ${scale?.name ?? ''}rounds, exactly`;
}
