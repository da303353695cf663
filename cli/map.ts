/** `run --map search`: looks for a mapping, tells how far it is, and writes what it finds. */
import type { Arch } from '../arch/language/arch.ts';
import { InputError } from '../arch/language/diagnostics.ts';
import { parseDuration, UnitError } from '../arch/language/units.ts';
import { type Objective, type SearchProgress, searchMapping } from '../models/mapper/mapper.ts';
import type { LoadedMapping } from '../workloads/language/mapping.ts';
import type { LoadedWorkload } from '../workloads/language/workload.ts';
import { write } from './files.ts';
import { checkFiles, type Outputs } from './outputs.ts';

export interface MapOptions {
  readonly map?: string;
  readonly mapOut?: string;
  readonly objective?: Objective;
  readonly seed?: number;
  readonly candidates?: number;
  readonly budget?: string;
}

/** Milliseconds from one line of progress to the next. */
const patience = 2000;

/** Whether options of the search are those of one, and all outputs can be written. @throws InputError */
export function checkMapOptions(options: MapOptions & Outputs): void {
  const { map, mapOut, objective, seed, candidates, budget, json, html, trace } = options;
  const own = { 'map-out': mapOut, objective, seed, candidates, budget };
  const [stray] = Object.entries(own).find(([, value]) => value !== undefined) ?? [];
  checkFiles({ json, html, trace, 'map-out': mapOut });
  if (map === undefined && stray !== undefined) {
    throw new InputError({ message: `--${stray} is of a search for a mapping`, hint: 'add --map search' });
  }
  secondsOf(budget);
}

/** Writes the mapping to the file that the options name. @throws InputError when it cannot run, or cannot be written. */
export function mapBySearch(arch: Arch, workload: LoadedWorkload, options: MapOptions): LoadedMapping {
  const { mapOut, objective = 'latency', seed, candidates, budget } = options;
  const seconds = secondsOf(budget);
  let told = performance.now();
  const found = searchMapping({
    arch,
    workload,
    objective,
    ...(seed !== undefined && { seed }),
    ...(candidates !== undefined && { candidates }),
    ...(seconds !== undefined && { seconds }),
    onProgress: (progress) => {
      if (performance.now() < told + patience) return;
      told = performance.now();
      process.stderr.write(`${progressText(progress, objective)}\n`);
    },
  });
  const { byDefault, bound, result, evaluated, outOfTime } = found;
  const figures = { cycles: result.cycles, joules: result.energy.total };
  const texts = [figures, byDefault, bound].map((of) => figureText(of, objective));
  const early = outOfTime ? '; out of time, so that another run may find another mapping' : '';
  process.stderr.write(
    `mapping found: ${texts[0]}, by default ${texts[1]}, at least ${texts[2]}; ${evaluated} candidates${early}\n`,
  );
  if (mapOut !== undefined) write(mapOut, found.text);
  return found.mapping;
}

function progressText({ evaluated, candidates, best, bound }: SearchProgress, objective: Objective): string {
  const [now, least] = [best, bound].map((of) => figureText(of, objective));
  return `${evaluated} of ${candidates} candidates: about ${now}, at least ${least}`;
}

function figureText({ cycles, joules }: { cycles: number; joules: number }, objective: Objective): string {
  const parts = [`${cycles.toLocaleString('en-US')} cycles`, `${joules.toPrecision(3)} J`];
  return objective === 'latency' ? parts[0]! : objective === 'energy' ? parts[1]! : parts.join(' x ');
}

/** @throws InputError */
function secondsOf(budget: string | undefined): number | undefined {
  if (budget === undefined) return undefined;
  try {
    return parseDuration(budget) / 1e12;
  } catch (error) {
    if (!(error instanceof UnitError)) throw error;
    throw new InputError({ message: `--budget ${budget}: ${error.message}`, hint: 'such as 60s' });
  }
}
