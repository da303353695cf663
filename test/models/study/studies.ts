/** Small studies for tests. */
import { join } from 'node:path';
import { packageRoot } from '../../../arch/language/library.ts';
import type { Point } from '../../../models/study/definition.ts';
import { inThisThread } from '../../../models/study/pool.ts';
import { type RunOptions, runPoints, type StudyRow } from '../../../models/study/run.ts';
import type { Study } from '../../../models/study/study.ts';

export const indexFile = join(packageRoot, 'index.ts');

/** Runs points in this thread. */
export function runHere(
  study: Study,
  journal: string,
  points: readonly Point[] = study.points(),
  options: Partial<RunOptions> = {},
): Promise<StudyRow[]> {
  return runPoints(study, points, {
    journal,
    resume: true,
    pool: inThisThread(study),
    signal: new AbortController().signal,
    onReuse: () => undefined,
    onProgress: () => undefined,
    ...options,
  });
}

/** A script whose runs take `milliseconds` each, and leave a line in the file that RUNS names. */
export const slowScript = (milliseconds: number, from = indexFile): string => `
import { appendFileSync } from 'node:fs';
import { study } from ${JSON.stringify(from)};

export default study({
  name: 'slow',
  about: 'points that take a while',
  parameters: { config: ['a', 'b', 'c'], size: [1, 2, 3, 4] },
  inputs: (p) => ({ ...p, half: Math.ceil(p.size / 2) }),
  run: ({ config, size }) => {
    const end = performance.now() + ${milliseconds};
    while (performance.now() < end);
    if (process.env.RUNS) appendFileSync(process.env.RUNS, config + size + '\\n');
    if (process.env.BREAK === config + size) throw new Error('broken on purpose');
    return size * 1.1 + config.charCodeAt(0) / 3;
  },
  metrics: (result, { size }) => ({ figure: result, per_size: result / size }),
  claims: [{ text: 'the last is twice the first', source: 'nobody', target: 2, measured: (rows) => rows[11].figure / rows[0].figure }],
  charts: [{ kind: 'curve', x: 'size', y: 'figure', by: 'config' }],
});
`;
