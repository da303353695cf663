/**
 * An iteration of a language model on one device of Duplex, or what it is compared with: one layer of each kind (with and without
 * experts) is simulated and stands for all of its kind; embeddings and the last product are left out, which are about 1 %.
 */
import {
  type Arch,
  batchAt,
  cacheBytesPerToken,
  expertTokens,
  fits,
  loadArch,
  loadServingMapping,
  parseServing,
  type ServingMapping,
  type ServingWorkload,
  type SimulateServingOptions,
  simulateServing,
  tokensOf,
  weightBytesOf,
} from '../../../index.ts';

export const systems = ['gpu', 'bank-pim', 'logic-pim', 'co-processing'] as const;
export type System = (typeof systems)[number];

const files: { readonly [system in System]: readonly [machine: string, mapping: string] } = {
  gpu: ['h100', 'gpu-only'],
  'bank-pim': ['duplex-bank-pim', 'duplex-bank-pim'],
  'logic-pim': ['duplex', 'duplex-logic-pim'],
  'co-processing': ['duplex', 'duplex'],
};

/** Devices: those that share heads, and groups of them with a batch each (Duplex, table of models). */
const devices = {
  'mixtral-8x7b': { tensor: 4, data: 1 },
  'glam-143b': { tensor: 8, data: 1 },
  'grok-1-314b': { tensor: 8, data: 2 },
  'opt-66b': { tensor: 4, data: 1 },
  'llama-3-70b': { tensor: 4, data: 1 },
} as const;

export type ModelName = keyof typeof devices;
export const modelNames = Object.keys(devices) as ModelName[];

/** Of those, the ones with experts. */
export function hasExperts(model: ModelName): boolean {
  return model !== 'opt-66b' && model !== 'llama-3-70b';
}

export interface Iteration {
  readonly model: ModelName;
  readonly system: System;
  /** Devices that share an expert, at least. */
  readonly expert_tp: number;
  readonly phase: 'prefill' | 'decode';
  /** Requests on all devices, and tokens that each sees, or of each prompt. */
  readonly batch: number;
  readonly context: number;
}

/** What a point is run from, all of which its key is made of. */
export interface DeviceRun {
  readonly arch: Arch;
  readonly mapping: ServingMapping;
  readonly workload: ServingWorkload;
}

const machines = new Map<System, Pick<DeviceRun, 'arch' | 'mapping'>>();

function machineOf(system: System): Pick<DeviceRun, 'arch' | 'mapping'> {
  const known = machines.get(system);
  if (known) return known;
  const [machine, mapping] = files[system];
  const loaded = { arch: loadArch(machine), mapping: loadServingMapping(mapping).mapping };
  machines.set(system, loaded);
  return loaded;
}

export function deviceRun({ model, system, expert_tp, phase, batch, context }: Iteration): DeviceRun {
  const { tensor, data } = devices[model];
  const groups = Math.min((tensor * data) / expert_tp, hasExperts(model) ? 8 : 1);
  const expert = Math.max(data, groups);
  const text = `
workload: duplex
model: ${model}
parallel: { tensor: ${tensor}, data: ${data}${hasExperts(model) ? `, expert: ${expert}` : ''} }
phase: ${phase}
batch: { requests: ${Math.ceil(batch / data)}, context: ${context} }
`;
  const { workload } = parseServing(text, 'duplex');
  const layers = workload.model.experts > 0 ? workload.model.expertEvery : 1;
  return { ...machineOf(system), workload: ofBusiestDevice(workload.set('layers', layers)) };
}

/** The device whose experts have the most tokens, for which all others wait. */
function ofBusiestDevice(workload: ServingWorkload): ServingWorkload {
  const { model, share, routing, layers } = workload;
  if (share.expert === 1) return workload;
  const batch = batchAt(workload, 0);
  const tokens = expertTokens(routing, model, layers - 1, batch.iteration, tokensOf(batch) * share.data);
  const each = model.experts / share.expert;
  const sums = Array.from({ length: share.expert }, (_, group) =>
    tokens.slice(group * each, (group + 1) * each).reduce((sum, count) => sum + count, 0),
  );
  return workload.setIn(['share', 'device'], sums.indexOf(Math.max(...sums)) * share.expertTensor);
}

/** Whether the whole model has room with requests of so many tokens. */
export function hasRoom(iteration: Iteration): boolean {
  const { arch, mapping, workload } = deviceRun(iteration);
  const { model, share, requests } = workload;
  const cache = cacheBytesPerToken(model, share, model.layers) * requests.reduce((sum, one) => sum + one.context, 0);
  return fits({ weights: weightBytesOf(model, share, model.layers, true), cache }, mapping, arch).length === 0;
}

/** An iteration of all layers, and the energy of the memories of all devices, each as busy as the busiest. */
export interface IterationFigures {
  readonly seconds: number;
  readonly joules: number;
}

export function iterationFigures({ arch, mapping, workload }: DeviceRun): IterationFigures {
  const { seconds, energy } = simulateServing({ arch, ...placed({ mapping, workload }) });
  const { share, model, layers } = workload;
  const times = model.layers / layers;
  return { seconds: seconds * times, joules: energy.total * times * share.tensor * share.data };
}

/** As if from a file, of which there is none. */
export function placed({
  mapping,
  workload,
}: Pick<DeviceRun, 'mapping' | 'workload'>): Pick<SimulateServingOptions, 'mapping' | 'workload'> {
  const place = () => ({ file: 'duplex', line: 1, column: 1, length: 1, text: '' });
  return { mapping: { mapping, place }, workload: { workload, place } };
}
