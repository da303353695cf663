/** Where the runs of a study happen: in this thread, or in several others. */
import { availableParallelism } from 'node:os';
import { setImmediate as breathe } from 'node:timers/promises';
import type { Point } from './definition.ts';
import { failure, type PointOutcome, type Study } from './study.ts';

/** Points whose runs are equal, so that one is enough. */
export type Batch = readonly Point[];

/** Threads that a study gets unless told. */
export const defaultJobs: number = availableParallelism();

/**
 * Runs every batch and tells its outcome, in the order in which they end.
 * @throws the signal's reason once it is aborted; what is under way is lost.
 */
export type Pool = (
  batches: readonly Batch[],
  done: (batch: number, outcomes: readonly PointOutcome[]) => void,
  signal: AbortSignal,
) => Promise<void>;

/** One after another in this thread. An interrupt is seen between two of them. */
export function inThisThread(study: Study): Pool {
  return async (batches, done, signal) => {
    for (const [i, batch] of batches.entries()) {
      done(i, study.run(batch));
      await breathe();
      signal.throwIfAborted();
    }
  };
}

/** In threads of their own, each of which loads the script. */
export function inThreads(script: string, jobs: number): Pool {
  return async (batches, done, signal) => {
    if (batches.length === 0) return;
    const { Piscina } = await import('piscina');
    const threads = Math.min(jobs, batches.length);
    const pool = new Piscina<Batch, PointOutcome[]>({
      filename: new URL(`./worker${extension}`, import.meta.url).href,
      workerData: { script },
      minThreads: threads,
      maxThreads: threads,
      ...(extension === '.ts' && { execArgv: ['--import', sourceLoader()] }),
    });
    const stop = (): void => void pool.destroy();
    signal.addEventListener('abort', stop);
    try {
      const runs = batches.map(async (batch, i) => {
        const outcomes = await pool.run(batch).catch((error: unknown) => batch.map(() => failure(error)));
        signal.throwIfAborted();
        done(i, outcomes);
      });
      await Promise.all(runs);
    } finally {
      signal.removeEventListener('abort', stop);
      await pool.destroy();
    }
  };
}

const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';

/** What a thread needs to run these sources as they are: the loader that this thread has is not handed down. */
function sourceLoader(): string {
  const registers = ['tsx/cjs/api', 'tsx/esm/api'].map((kind, i) => {
    const url = JSON.stringify(import.meta.resolve(kind));
    return `import{register as r${i}}from${url};r${i}();`;
  });
  return `data:text/javascript,${encodeURIComponent(registers.join(''))}`;
}
