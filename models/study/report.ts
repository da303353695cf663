/** A finished study as plain data, all that its reports see. */

import type { AnyRow, Chart, Value } from './definition.ts';
import type { FinishedRow, StudyRow } from './run.ts';
import { failure, type Study } from './study.ts';

export interface ClaimOutcome {
  readonly claim: string;
  readonly source: string;
  readonly target: number;
  /** Null when the rows are not enough to tell. */
  readonly measured: number | null;
  /** (measured - target) / target; of a target of 0, measured. */
  readonly error: number | null;
  readonly holds: boolean | null;
  /** Why it could not be measured, where that is a mistake. */
  readonly problem: string | null;
}

export interface StudyReport {
  readonly name: string;
  readonly about: string;
  readonly version: string;
  readonly parameters: readonly { readonly name: string; readonly values: readonly Value[] }[];
  /** Names, in the order in which rows have them. */
  readonly metrics: readonly string[];
  readonly units: { readonly [metric: string]: string | undefined };
  readonly rows: readonly StudyRow[];
  readonly claims: readonly ClaimOutcome[];
  readonly charts: readonly Chart[];
  /** Whether the rows are all of the study's own grid, none of them failed. */
  readonly isWhole: boolean;
  readonly gridSize: number;
}

export function studyReport(study: Study, rows: readonly StudyRow[], version: string): StudyReport {
  const finished = rows.filter((row): row is FinishedRow => 'metrics' in row);
  const metrics = [...new Set(finished.flatMap((row) => Object.keys(row.metrics)))];
  const grid = study.points();
  const there = new Set(finished.map(({ point }) => JSON.stringify(point)));
  const isWhole = there.size === grid.length && grid.every((point) => there.has(JSON.stringify(point)));
  return {
    name: study.name,
    about: study.about,
    version,
    parameters: [...study.parameters.keys()].map((name) => ({
      name,
      values: [...new Set(rows.map(({ point }) => point[name] as Value))],
    })),
    metrics,
    units: study.units,
    rows,
    claims: claimOutcomes(study, finished.map(flatRow), isWhole),
    charts: study.charts,
    isWhole,
    gridSize: grid.length,
  };
}

/** What the last bits of a figure may add to its error. */
const rounding = 1e-12;

/** What claims see: a copy, so that none changes it for the next. */
const flatRow = ({ point, metrics }: FinishedRow): AnyRow => ({ ...point, ...metrics });

function claimOutcomes(study: Study, rows: readonly AnyRow[], isWhole: boolean): ClaimOutcome[] {
  return study.claims.map(({ text, source, target, within = 0.05, measured: measure }) => {
    let measured: number | null = null;
    let problem: string | null = null;
    try {
      const found = measure(rows);
      if (typeof found === 'number' && Number.isFinite(found)) measured = found;
    } catch (error) {
      // With rows missing, that some cannot be found is no mistake of the claim.
      if (isWhole) problem = failure(error).error;
    }
    const error = measured === null ? null : errorOf(measured, target);
    const holds = error === null ? null : Math.abs(error) <= within + rounding;
    return { claim: text, source, target, measured, error, holds, problem };
  });
}

const errorOf = (measured: number, target: number): number =>
  target === 0 ? measured : (measured - target) / Math.abs(target);
