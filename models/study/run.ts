/** Runs points of a study, those that are not in its journal. */
import type { Metrics, Point } from './definition.ts';
import { type Entry, forget, holdsFor, Journal } from './journal.ts';
import type { Pool } from './pool.ts';
import { failure, type PointOutcome, type Study } from './study.ts';

/** A row of a study, or why there is none. */
export type StudyRow = FinishedRow | FailedRow;

export interface FinishedRow {
  readonly point: Point;
  readonly metrics: Metrics;
}

export interface FailedRow {
  readonly point: Point;
  readonly error: string;
  /** Of what nobody foresaw. */
  readonly stack?: string;
}

export interface RunOptions {
  /** File where finished rows are kept, and looked for. */
  readonly journal: string;
  /** Whether rows of earlier runs are taken; when not, they are forgotten. */
  readonly resume: boolean;
  readonly pool: Pool;
  readonly signal: AbortSignal;
  /** Told how many rows earlier runs have left, where there are any. */
  readonly onReuse: (rows: number) => void;
  /** Told how many points are done of those that have to run. */
  readonly onProgress: (done: number, of: number) => void;
}

/** A point that has to run, and its place among the rows. */
interface Task {
  readonly index: number;
  readonly point: Point;
  readonly key: string;
}

/**
 * Rows in the order of the points.
 * @throws InputError when the journal cannot be used; the signal's reason when it is aborted.
 */
export async function runPoints(study: Study, points: readonly Point[], options: RunOptions): Promise<StudyRow[]> {
  const rows: (StudyRow | undefined)[] = points.map(() => undefined);
  const tasks = points.flatMap((point, index): Task[] => {
    try {
      return [{ index, point, key: study.keyOf(point) }];
    } catch (error) {
      rows[index] = { point, ...failure(error) };
      return [];
    }
  });
  if (!options.resume) forget(options.journal, new Set(tasks.map(({ key }) => key)));
  const journal = new Journal(options.journal);
  try {
    const missing = tasks.filter(({ index, point, key }) => {
      const metrics = journal.find(key, point);
      if (metrics) rows[index] = { point, metrics };
      return metrics === undefined;
    });
    if (missing.length < tasks.length) options.onReuse(tasks.length - missing.length);
    await runTasks(missing, rows, journal, options);
    return rows.filter((row) => row !== undefined);
  } finally {
    journal.close();
  }
}

/** Runs each distinct key once, and keeps its rows before the next is counted. */
async function runTasks(
  tasks: readonly Task[],
  rows: (StudyRow | undefined)[],
  journal: Journal,
  { pool, signal, onProgress }: RunOptions,
): Promise<void> {
  const batches = alike(tasks);
  let done = 0;
  await pool(
    batches.map((batch) => batch.map(({ point }) => point)),
    (i, outcomes) => {
      const batch = batches[i] ?? [];
      journal.append(entriesOf(batch, outcomes));
      for (const [j, { index, point }] of batch.entries()) {
        const outcome = outcomes[j];
        if (outcome === undefined) continue;
        rows[index] = 'metrics' in outcome ? { point, metrics: outcome.metrics } : { point, ...outcome };
      }
      done += batch.length;
      onProgress(done, tasks.length);
    },
    signal,
  );
}

/** Tasks with equal keys together, in order of their first. */
function alike(tasks: readonly Task[]): Task[][] {
  const groups = new Map<string, Task[]>();
  for (const task of tasks) {
    const group = groups.get(task.key);
    if (group) group.push(task);
    else groups.set(task.key, [task]);
  }
  return [...groups.values()];
}

/** The rows of a batch that say something new: of points that their metrics cannot tell apart, the first. */
function entriesOf(batch: readonly Task[], outcomes: readonly PointOutcome[]): Entry[] {
  const entries: Entry[] = [];
  for (const [i, { key, point }] of batch.entries()) {
    const outcome = outcomes[i];
    if (outcome === undefined || !('metrics' in outcome)) continue;
    if (entries.some((entry) => holdsFor(entry, point))) continue;
    entries.push({ key, point, reads: outcome.reads, metrics: outcome.metrics });
  }
  return entries;
}
