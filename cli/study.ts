import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InputError, suggest } from '../arch/language/diagnostics.ts';
import { version } from '../arch/language/library.ts';
import { Filter } from '../models/study/choice.ts';
import type { Point } from '../models/study/definition.ts';
import { loadStudy } from '../models/study/load.ts';
import { defaultJobs, inThisThread, inThreads } from '../models/study/pool.ts';
import { type StudyReport, studyReport } from '../models/study/report.ts';
import { type FailedRow, runPoints, type StudyRow } from '../models/study/run.ts';
import type { Study } from '../models/study/study.ts';
import { studyCsv } from '../reports/study/csv.ts';
import { studyJson } from '../reports/study/json.ts';
import { pointName, studySummary } from '../reports/study/terminal.ts';
import { RunFailure, together } from './failure.ts';
import { write } from './files.ts';
import { checkFiles, keepInputs } from './outputs.ts';
import { progress } from './progress.ts';
import { readPoints } from './study-points.ts';

export interface StudyOptions {
  readonly only?: readonly string[];
  readonly points?: string;
  readonly jobs?: number;
  readonly resume?: boolean;
  readonly journal?: string;
  /** Files to write; `-` is standard output, in place of the summary. */
  readonly json?: string;
  readonly csv?: string;
  readonly html?: string;
}

/** @throws InputError; RunFailure when points failed, or when it was interrupted. */
export async function study(name: string, options: StudyOptions): Promise<void> {
  const script = findScript(name);
  const made = await loadStudy(script);
  const journal = options.journal ?? join('.clockwright', `${made.name}.jsonl`);
  const { json, csv, html } = options;
  const [points] = together(
    () => chosenPoints(made, options),
    () => checkFiles({ json, csv, html, journal }),
    () => keepInputs([script, journal, ...(options.points === undefined ? [] : [options.points])], { json, csv, html }),
  );
  const rows = await runUntilInterrupted(made, script, points, journal, options);
  const report = studyReport(made, rows, version);
  await writeReport(report, options);
  complain(report);
}

/** Scripts that come with Clockwright: sources where this is one, else what was built of them. */
const shelf = fileURLToPath(new URL('../workloads/studies/', import.meta.url));
const suffix = /\.[cm]?[jt]sx?$/;

/** @throws InputError when there is neither such a file nor a study of that name. */
function findScript(name: string): string {
  if (statSync(name, { throwIfNoEntry: false })?.isFile()) return name;
  const files = existsSync(shelf) ? readdirSync(shelf).filter((f) => suffix.test(f) && !f.endsWith('.d.ts')) : [];
  const found = files.find((file) => file.replace(suffix, '') === name);
  if (found !== undefined) return join(shelf, found);
  const isName = !/[/.]/.test(name);
  const names = files.map((file) => file.replace(suffix, ''));
  const message = `there is no file ${name}${isName ? ', and no study of that name comes with Clockwright' : ''}`;
  throw new InputError({ message, hint: suggest(name, names) });
}

/** @throws InputError when none are left. */
function chosenPoints(made: Study, { only = [], points: file }: StudyOptions): readonly Point[] {
  const points = file === undefined ? made.points() : readPoints(file, made);
  const filter = new Filter(only, made, points);
  const chosen = points.filter((point) => filter.takes(point));
  if (chosen.length > 0) return chosen;
  throw new InputError({ message: `study ${made.name} has no such points`, hint: 'ask for more with --only' });
}

/** An interrupt ends it with the rows so far in the journal. @throws RunFailure then */
async function runUntilInterrupted(
  made: Study,
  script: string,
  points: readonly Point[],
  journal: string,
  { jobs, resume = true }: StudyOptions,
): Promise<StudyRow[]> {
  const interrupt = new AbortController();
  const stop = (): void => interrupt.abort(new RunFailure(interruptText(journal)));
  const bar = progress();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  try {
    return await runPoints(made, points, {
      journal,
      resume,
      pool: jobs === 1 ? inThisThread(made) : inThreads(script, jobs ?? defaultJobs),
      signal: interrupt.signal,
      onReuse: (rows) => process.stderr.write(`${rows} of ${points.length} rows are in ${journal} already\n`),
      onProgress: (done, of) => bar.update(done / of),
    });
  } finally {
    bar.stop();
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
}

const interruptText = (journal: string): string =>
  `interrupted; finished rows are in ${journal}, and the same command goes on from there`;

/** @throws InputError with every file that could not be written; the others are. */
async function writeReport(report: StudyReport, { json, csv, html }: StudyOptions): Promise<void> {
  const page = html === undefined ? '' : (await import('../reports/study/html.ts')).studyPage(report);
  try {
    together(
      () => json !== undefined && write(json, studyJson(report)),
      () => csv !== undefined && write(csv, studyCsv(report)),
      () => html !== undefined && write(html, page),
    );
  } finally {
    if (![json, csv, html].includes('-')) {
      const color = process.stdout.isTTY === true && process.stdout.hasColors();
      process.stdout.write(studySummary(report, { color, ...(html !== undefined && { report: html }) }));
    }
  }
}

/** @throws RunFailure that names every point that failed, and every claim that could not be told. */
function complain({ rows, claims }: StudyReport): void {
  const failed = rows.filter((row): row is FailedRow => 'error' in row);
  const broken = claims.filter(({ problem }) => problem !== null);
  if (failed.length + broken.length === 0) return;
  const lines = [
    ...failed.map(({ point, error, stack }) => `${pointName(point)} failed: ${stack ?? error}`),
    ...broken.map(({ claim, problem }) => `claim "${claim}" failed: ${problem}`),
    ...(failed.length > 0 ? [`${failed.length} of ${rows.length} points failed; they are tried again next time`] : []),
  ];
  throw new RunFailure(lines.join('\n'));
}
