/**
 * A layer of GPT-3 6.7B that generates a token for 512 requests on one of NeuPIMs' four devices, whose messages to each other
 * its tool leaves out: cycles of the tool, and what each of load balancing, dual row buffers and sub-batch interleaving gains.
 * Requests are on the channels that the tool's traces give them.
 *
 * Where it differs from the tool, and why:
 * - Layer norms and GELU take their lanes' time and write what they make; the tool's norms compute nothing, as the size that
 *   they are given was moved away before, and some of its results are never written. An array takes 16 cycles more for a tile.
 * - Interleaved, reads for products get 65 to 90 % of the bandwidth while the banks compute. With channels balanced by Clockwright
 *   (as the mapping has it) and not by the trace, a layer takes 495,000 cycles.
 * - In blocked mode the host sends a command in a cycle to all channels together, and that is the limit; the tool's core also
 *   stalls between requests.
 * - The paper's gains are of whole models over many tokens; these are of one layer and one token. The NPU alone attends on its
 *   vector units, as fast as memory allows; the tool's puts each request through the arrays.
 */
import {
  type Arch,
  loadArch,
  loadServing,
  loadServingMapping,
  type ServingMapping,
  type ServingWorkload,
  serve,
  study,
} from '../../index.ts';

type System = 'balanced' | 'round-robin' | 'interleaved' | 'blocked' | 'blocked-balanced' | 'npu-only';

interface Point {
  readonly system: System;
}

interface Run {
  readonly arch: Arch;
  readonly workload: ServingWorkload;
  readonly mapping: ServingMapping;
  /** Layers after which, and before which, cycles are counted. */
  readonly layers: readonly [first: number, last: number];
}

const roundRobin = 'gpt3-7b-sharegpt';
const balanced = 'gpt3-7b-sharegpt-balanced';

/** Machine, trace and mapping of each system. */
const systems: { readonly [system in System]: readonly [machine: string, trace: string, mapping: string] } = {
  balanced: ['neupims', balanced, 'neupims-one-batch'],
  'round-robin': ['neupims', roundRobin, 'neupims-one-batch'],
  interleaved: ['neupims', balanced, 'neupims'],
  blocked: ['neupims-blocked', roundRobin, 'neupims-blocked'],
  'blocked-balanced': ['neupims-blocked', balanced, 'neupims-blocked'],
  'npu-only': ['neupims-npu-only', roundRobin, 'neupims-npu-only'],
};

/** In a pipeline of two sub-batches, a layer takes as long as the third one does. */
const steady: Run['layers'] = [1, 3];

function inputs({ system }: Point): Run {
  const [machine, trace, mapping] = systems[system];
  return {
    arch: loadArch(machine).set('link', null),
    workload: loadServing(trace).workload,
    mapping: loadServingMapping(mapping).mapping.set('channels', 'given'),
    layers: system === 'interleaved' ? steady : [0, 1],
  };
}

interface Cycles {
  readonly layer: number;
  readonly attention: number;
}

function run({ arch, workload, mapping, layers: [first, last] }: Run): Cycles {
  const after = serveLayers(arch, workload, mapping, last);
  const before = first > 0 ? serveLayers(arch, workload, mapping, first) : { end: 0, attention: 0 };
  const layers = last - first;
  return {
    layer: (after.end - before.end) / layers,
    attention: (after.attention - before.attention) / layers,
  };
}

function serveLayers(arch: Arch, workload: ServingWorkload, mapping: ServingMapping, layers: number) {
  const { device, executor, iterations } = serve(arch, workload.set('layers', layers), mapping);
  const cycles = (ps: number): number => device.memoryClock.cycleAtOrAfter(ps);
  const attention = [...executor.records.values()]
    .filter(({ name }) => name === 'scores' || name === 'softmax' || name === 'context')
    .reduce((sum, { time }) => sum + time, 0);
  return { end: cycles(iterations.at(-1)?.end ?? 0), attention: cycles(attention) };
}

type Row = Point & { readonly cycles: number; readonly attention_cycles: number };

const source = 'casys-kaist/NeuPIMs commit f299af3, run as shipped';
const layerOf = (rows: readonly Row[], system: System): number | null =>
  rows.find((row) => row.system === system)?.cycles ?? null;

/** How many times longer one system takes than another. */
const gain = (rows: readonly Row[], slow: System, fast: System): number | null => {
  const [from, to] = [layerOf(rows, slow), layerOf(rows, fast)];
  return from !== null && to !== null ? from / to : null;
};

export default study({
  name: 'neupims',
  about: 'A layer of GPT-3 6.7B for 512 requests on NeuPIMs: balanced channels, dual row buffers, sub-batches',
  parameters: { system: Object.keys(systems) as System[] },
  inputs,
  run,
  metrics: ({ layer, attention }: Cycles) => ({ cycles: layer, attention_cycles: attention }),
  units: { cycles: 'CK', attention_cycles: 'CK' },
  claims: [
    ...(
      [
        ['balanced', 619_231],
        ['round-robin', 695_576],
        ['interleaved', 481_000],
      ] as const
    ).map(([system, target]) => ({
      text: `Cycles of a layer, ${system}`,
      source,
      target,
      within: 0.05,
      measured: (rows: readonly Row[]) => layerOf(rows, system),
    })),
    {
      text: 'Cycles of attention, blocked mode',
      source: 'casys-kaist/NeuPIMs branch npu+pim, stage B',
      target: 1_088_518,
      within: 0.05,
      measured: (rows: readonly Row[]) => rows.find(({ system }) => system === 'blocked')?.attention_cycles ?? null,
    },
    {
      text: 'Balanced channels over round-robin',
      source,
      target: 695_576 / 619_231,
      within: 0.05,
      measured: (rows: readonly Row[]) => gain(rows, 'round-robin', 'balanced'),
    },
    {
      text: 'NeuPIMs over blocked NPU+PIM',
      source: 'NeuPIMs, ASPLOS 2024, abstract: whole models',
      target: 1.6,
      measured: (rows: readonly Row[]) => gain(rows, 'blocked', 'interleaved'),
    },
    {
      text: 'NeuPIMs over the NPU alone',
      source: 'NeuPIMs, ASPLOS 2024, abstract: whole models',
      target: 2.4,
      measured: (rows: readonly Row[]) => gain(rows, 'npu-only', 'interleaved'),
    },
  ],
  charts: [],
});
