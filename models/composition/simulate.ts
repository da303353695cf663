/** Arch x composition of experts -> Result, in one call. */
import type { Arch } from '../../arch/language/arch.ts';
import { InputError } from '../../arch/language/diagnostics.ts';
import { rduOf } from '../../arch/language/parts.ts';
import {
  DataflowMapping,
  type LoadedDataflowMapping,
  loadDataflowMapping,
} from '../../workloads/language/dataflow-mapping.ts';
import { type LoadedServingMapping, loadServingMapping } from '../../workloads/language/serving-mapping.ts';
import type { LoadedComposition } from '../../workloads/llm/composition-load.ts';
import type { DeviceShare } from '../../workloads/llm/share.ts';
import type { Result } from '../result.ts';
import { DataflowTimes } from './dataflow-times.ts';
import { machineTiers } from './machine.ts';
import { measureComposition } from './measure.ts';
import { placeExperts } from './placement.ts';
import { runComposition } from './run.ts';
import { ServingTimes } from './serving-times.ts';
import type { ModelTimes } from './times.ts';

export interface SimulateCompositionOptions {
  readonly arch: Arch;
  /** Without places, as values that no file has, mistakes are told without them. */
  readonly composition: Pick<LoadedComposition, 'workload'> & Partial<LoadedComposition>;
  /** How its models run; on an RDU as many operators fused as fit, and elsewhere all on arrays and vector units, when left out. */
  readonly mapping?: LoadedServingMapping | LoadedDataflowMapping | undefined;
  /** Told the fraction of batches that is done. */
  readonly onProgress?: (fraction: number) => void;
  /** The `--set` options that made the arch, for the report. */
  readonly overrides?: readonly string[];
}

/** @throws InputError when the machine has too few devices, or no room for what is needed, or cannot do what the mapping says */
export function simulateComposition(options: SimulateCompositionOptions): Result {
  const { arch, composition: loaded, overrides = [], onProgress } = options;
  const { workload: composition, place } = loaded;
  const { tensor } = composition.share;
  const devices = arch.devices * arch.nodes;
  if (tensor > devices) {
    const message = `${tensor} devices share every model, but ${arch.name} has ${devices}`;
    throw new InputError({ message, place: place?.(['parallel', 'tensor']), hint: 'use fewer, or another machine' });
  }
  const machine = machineTiers(arch);
  const placement = placeExperts(composition, machine, place?.(['experts']));
  const { times, mapping } = timesOf(options, composition.share);
  const record = runComposition({ composition, machine, placement, times, onProgress });
  const subject = { arch, composition, machine, placement, mapping, overrides, notes: times.notes };
  return measureComposition(subject, record);
}

function timesOf(
  { arch, mapping: given }: SimulateCompositionOptions,
  share: DeviceShare,
): { readonly times: ModelTimes; readonly mapping: string } {
  const loaded = given ?? (rduOf(arch) ? loadDataflowMapping('sn40l-fused') : loadServingMapping('gpu-only'));
  const { name } = loaded.mapping;
  if (isDataflow(loaded)) return { times: new DataflowTimes(arch, loaded.mapping, share), mapping: name };
  return { times: new ServingTimes(arch, loaded, share), mapping: name };
}

function isDataflow(loaded: LoadedServingMapping | LoadedDataflowMapping): loaded is LoadedDataflowMapping {
  return loaded.mapping instanceof DataflowMapping;
}
