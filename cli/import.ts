import { InputError } from '../arch/language/diagnostics.ts';
import type { Result } from '../models/result.ts';
import { simulate } from '../models/simulate.ts';
import { layerReports, layerTable } from '../reports/layers.ts';
import { loadScaleSim, type ScaleSimRun } from '../workloads/import/scalesim/load.ts';
import { together } from './failure.ts';
import { checkOutputs, type Outputs, writeOutputs } from './outputs.ts';
import { progress } from './progress.ts';

export interface ImportOptions extends Outputs {
  readonly gemm?: boolean;
}

/** Runs SCALE-Sim's files. @throws InputError with their mistakes, or when the buffers are too small for a layer. */
export async function importScaleSim(config: string, topology: string, options: ImportOptions): Promise<void> {
  const [run] = together(
    () => loadScaleSim(config, topology, options.gemm ? 'gemm' : 'conv'),
    () => checkOutputs(options),
  );
  const bar = progress();
  let result: Result;
  try {
    result = simulate({ arch: run.arch, workload: run.loaded, wholeFolds: true, onProgress: bar.update });
  } finally {
    bar.stop();
  }
  result.notes.push(...run.notes);
  checkFolds(run, result);
  const layers = layerReports(result, run.layers, {
    processingElements: run.config.rows * run.config.columns,
    stalls: run.config.bandwidth !== null,
  });
  const notes = run.notes.map((note) => `note: ${note}\n`).join('');
  const report = options.html === undefined ? '' : `report: ${options.html}\n`;
  await writeOutputs(result, options, {
    json: `${JSON.stringify({ layers }, null, 2)}\n`,
    summary: `${layerTable(layers)}${notes}${report}`,
  });
}

function checkFolds({ layers, loaded }: ScaleSimRun, result: Result): void {
  const mistakes = layers.flatMap(({ name, ofmap }) => {
    const section = result.mapping.sections.find(({ einsums }) => einsums.includes(ofmap));
    if (section?.folds) return [];
    const message = `${name} does not fit: a scratchpad holds less than one row of the array's operands`;
    return [
      { message, place: loaded.places.get(ofmap), hint: 'give IfmapSramSzkB, FilterSramSzkB or OfmapSramSzkB more' },
    ];
  });
  if (mistakes.length > 0) throw new InputError(mistakes);
}
