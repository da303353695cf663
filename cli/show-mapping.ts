import { dirname } from 'node:path';
import type { Arch } from '../arch/language/arch.ts';
import { InputError } from '../arch/language/diagnostics.ts';
import { libraryFile } from '../arch/language/library.ts';
import { loadArch } from '../arch/language/load.ts';
import { bind } from '../models/binding/bind.ts';
import { readName, Topology } from '../models/binding/topology.ts';
import { type Waterfall, waterfallOf } from '../models/waterfall.ts';
import { layoutText } from '../reports/layout.ts';
import { waterfallText } from '../reports/waterfall.ts';
import { waterfallPage } from '../reports/waterfall-page.ts';
import { describeMapping } from '../workloads/language/describe-mapping.ts';
import { loadWorkload } from '../workloads/language/load.ts';
import { type LoadedMapping, loadMapping } from '../workloads/language/mapping.ts';
import type { LoadedWorkload } from '../workloads/language/workload.ts';
import { together } from './failure.ts';
import { write } from './files.ts';
import { type Kind, kindOf } from './kind.ts';

export interface ShowMappingOptions {
  readonly set: readonly string[];
  readonly shape: readonly string[];
  readonly html?: string;
}

/** Most sections whose waterfall is drawn: a network has hundreds. */
const mostDrawn = 12;
const usualWidth = 120;

/**
 * Prints a mapping, how it lays the workload that it names on the machine that it names, and what engines do for a few tiles.
 * @throws InputError when they do not go together; DeadlockError when the machine comes to a stop.
 */
export function showMapping(file: string, { set, shape, html }: ShowMappingOptions): void {
  const loaded = loadMapping(file);
  const { machine, workload, name } = loaded.mapping;
  process.stdout.write(describeMapping(loaded.mapping));
  const archFile = named('machine', 'arch', machine, file);
  const workloadFile = named('workload', 'workloads', workload, file);
  if (!archFile || !workloadFile) {
    if (set.length + shape.length === 0 && html === undefined) return;
    const hint = 'begin it with "workload: NAME" and "machine: NAME"';
    throw new InputError({ message: `${name} names no machine and workload to be tried on`, hint });
  }
  const [arch, cascade] = together(
    () => loadArch(archFile, { set }),
    () => loadWorkload(workloadFile, { shape }),
  );
  const drawings = sectionsOf(arch, cascade, loaded);
  if (html !== undefined) {
    write(html, waterfallPage(name, `${workload} on ${machine}`, drawings));
  }
}

/** The machine or the workload of a name: beside the mapping's file, else the library's. Null when there is none. */
function named(kind: Kind, shelf: string, name: string, mapping: string): string | null {
  const all = [libraryFile(shelf, name, dirname(mapping)), libraryFile(shelf, name)];
  const files = all.flatMap((found) => ('file' in found ? [found.file] : []));
  // A mapping beside it may have the machine's name.
  return files.find((found) => kindOf(found) === kind) ?? files[0] ?? null;
}

/** Prints every section; gives the waterfalls of the first ones. */
function sectionsOf(arch: Arch, cascade: LoadedWorkload, mapping: LoadedMapping): Waterfall[] {
  const capacities = capacitiesOf(arch);
  const sections = bind(arch, cascade, mapping)
    .phases.toArray()
    .flatMap((phase) => phase.sections.toArray());
  const width = process.stdout.columns ?? usualWidth;
  const drawings: Waterfall[] = [];
  for (const section of sections) {
    process.stdout.write(`\n${layoutText(section, capacities)}\n`);
    if (drawings.length === mostDrawn) continue;
    const waterfall = waterfallOf(arch, cascade.workload, section);
    drawings.push(waterfall);
    process.stdout.write(`\n${waterfallText(waterfall, width)}\n`);
  }
  return drawings;
}

/** Bytes by scratchpad, by the names that programs use. */
function capacitiesOf(arch: Arch): ReadonlyMap<string, number> {
  const topology = new Topology(arch);
  const own = topology.groups.flatMap(({ path, count }) => {
    const core = topology.core(path);
    return Array.from({ length: count }, (_, i) => core.pads.map((pad) => [core.nameOn(i, pad.path), pad] as const));
  });
  const all = [...topology.pads.map((pad) => [pad.path, pad] as const), ...own.flat()];
  return new Map(
    all.map(([name, { part }]) => [name, part.capacity * (readName(name).core === null ? part.count : 1)]),
  );
}
