import { loadArch } from '../arch/language/load.ts';
import type { Result } from '../models/result.ts';
import { simulate } from '../models/simulate.ts';
import { toJson } from '../reports/json.ts';
import { summary } from '../reports/terminal.ts';
import { loadWorkload } from '../workloads/language/load.ts';
import { loadMapping } from '../workloads/language/mapping.ts';
import { RunFailure } from './failure.ts';
import { find, write } from './files.ts';
import { progress } from './progress.ts';

export interface RunOptions {
  mapping?: string;
  set: string[];
  shape: string[];
  json?: string;
  html?: string;
  trace?: string;
  values?: boolean;
}

/** Largest error, relative to the largest value of an output, that rounding in another order of summation explains. */
const tolerance = 1e-9;

export async function run(archName: string, workloadName: string, options: RunOptions): Promise<void> {
  const arch = loadArch(find(archName, 'arch'), { set: options.set });
  const workload = loadWorkload(find(workloadName, 'workloads'), { shape: options.shape });
  const mapping = options.mapping === undefined ? null : loadMapping(find(options.mapping, 'workloads/mappings'));
  const bar = progress();
  let result: Result;
  try {
    const values = options.values === true;
    result = simulate({ arch, workload, mapping, values, overrides: options.set, onProgress: bar.update });
  } finally {
    bar.stop();
  }
  await writeReports(result, options);
  if (options.json !== undefined) write(options.json, toJson(result));
  if (options.json !== '-') {
    const color = process.stdout.isTTY === true;
    process.stdout.write(summary(result, options.html === undefined ? { color } : { color, report: options.html }));
  }
  const wrong = result.values?.outputs.filter((output) => !(output.maxAbsError <= tolerance * output.maxAbs));
  if (wrong && wrong.length > 0) {
    throw new RunFailure(
      `the machine computed another ${wrong.map((o) => o.tensor).join(', ')} than the cascade defines`,
    );
  }
}

/** The HTML report and the trace, where asked for. */
export async function writeReports(result: Result, { html, trace }: { html?: string; trace?: string }): Promise<void> {
  if (html !== undefined) write(html, (await import('../reports/html.ts')).htmlReport(result));
  if (trace !== undefined) write(trace, (await import('../reports/trace.ts')).perfettoTrace(result));
}
