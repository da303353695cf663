/** Figures of the study's rows beside each other, and those that Duplex's simulator gives. */
import type { Claim } from '../../../index.ts';
import type { ModelName, System } from './decode.ts';
import { recorded, recordedSource } from './recorded.ts';

export interface Row {
  readonly model: ModelName;
  readonly system: System;
  readonly expert_tp: number;
  readonly batch: number;
  readonly Lin: number;
  readonly Lout: number;
  readonly tbt_ms: number;
  readonly tokens_per_s: number;
  readonly energy_mJ: number;
}

type Figure = 'tbt_ms' | 'tokens_per_s' | 'energy_mJ';

/**
 * A figure of a system over that of another, for every model, batch and length that both have. Of rows that differ in
 * expert_tp the one that generates most tokens counts.
 */
export function speedups(rows: readonly Row[], over: System, of: System, figure: Figure): number[] {
  return best(rows, over).flatMap((base) => {
    const other = best(rows, of).find((row) => isAlike(row, base));
    return other ? [other[figure] / base[figure]] : [];
  });
}

/** Of rows of a system that are alike, the fastest. */
function best(rows: readonly Row[], system: System): Row[] {
  const own = rows.filter((row) => row.system === system);
  return own.filter((row) => own.every((other) => !isAlike(row, other) || other.tokens_per_s <= row.tokens_per_s));
}

function isAlike(row: Row, other: Row): boolean {
  return row.model === other.model && row.batch === other.batch && row.Lin === other.Lin && row.Lout === other.Lout;
}

/** Milliseconds of a token of Mixtral: those of the simulator are the targets. */
export const recordedClaims: readonly Claim<Row>[] = recorded.flatMap(({ Lin, batch, gpu, logic, both, shared }) =>
  (
    [
      ['gpu', 1, gpu],
      ['logic-pim', 1, logic],
      ['co-processing', 1, both],
      ['co-processing', 4, shared],
    ] as const
  ).map(([system, expert_tp, target]) => ({
    text: `Milliseconds of a token of Mixtral on ${system}, batch ${batch}, Lin ${Lin}, Lout ${Lin}, expert_tp ${expert_tp}`,
    source: recordedSource,
    target,
    measured: (rows: readonly Row[]) =>
      rows.find(
        (row) =>
          row.model === 'mixtral-8x7b' &&
          row.system === system &&
          row.expert_tp === expert_tp &&
          row.batch === batch &&
          row.Lin === Lin &&
          row.Lout === Lin,
      )?.tbt_ms ?? null,
  })),
);
