/** Arch x composition of experts -> Result, in one call. */
import type { Arch } from '../../arch/language/arch.ts';
import { InputError } from '../../arch/language/diagnostics.ts';
import type { LoadedServingMapping } from '../../workloads/language/serving-mapping.ts';
import type { LoadedComposition } from '../../workloads/llm/composition-load.ts';
import type { Result } from '../result.ts';
import { machineTiers } from './machine.ts';
import { measureComposition } from './measure.ts';
import { placeExperts } from './placement.ts';
import { runComposition } from './run.ts';
import { ServingTimes } from './serving-times.ts';
import type { ModelTimes } from './times.ts';

export interface SimulateCompositionOptions {
  readonly arch: Arch;
  readonly composition: LoadedComposition;
  /** What of its models runs where. */
  readonly mapping: LoadedServingMapping;
  /** Told the fraction of batches that is done. */
  readonly onProgress?: (fraction: number) => void;
  /** The `--set` options that made the arch, for the report. */
  readonly overrides?: readonly string[];
}

/** @throws InputError when the machine has too few devices, or no room for what is needed, or cannot do what the mapping says */
export function simulateComposition(options: SimulateCompositionOptions): Result {
  const { arch, composition: loaded, mapping, overrides = [], onProgress } = options;
  const { workload: composition, place } = loaded;
  const { tensor } = composition.share;
  if (tensor > arch.devices * arch.nodes) {
    const message = `${tensor} devices share every model, but ${arch.name} has ${arch.devices * arch.nodes}`;
    throw new InputError({ message, place: place(['parallel', 'tensor']), hint: 'use fewer, or another machine' });
  }
  const machine = machineTiers(arch);
  const placement = placeExperts(composition, machine, place(['experts']));
  const times: ModelTimes = new ServingTimes(arch, mapping, composition.share);
  const record = runComposition({ composition, machine, placement, times, onProgress });
  const subject = {
    arch,
    composition,
    machine,
    placement,
    mapping: mapping.mapping.name,
    overrides,
    notes: times.notes,
  };
  return measureComposition(subject, record);
}
