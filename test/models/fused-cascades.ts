/** Cascades in one section, and what they must move at least. */
import { expect } from 'vitest';
import { bitsOf } from '../../arch/language/units.ts';
import { bind } from '../../models/binding/bind.ts';
import { elementBytes } from '../../models/binding/plan.ts';
import { accessElements } from '../../models/binding/tile-ops.ts';
import type { Result } from '../../models/result.ts';
import { type LoadedMapping, loadMapping } from '../../workloads/language/mapping.ts';
import { bytesOf, sizeOf } from '../../workloads/language/shapes.ts';
import { type Access, accessesOf, einsumsOf, type LoadedWorkload } from '../../workloads/language/workload.ts';
import { aMapping, shippedMachine } from './machines.ts';

/** How each is fused: tiles that do not divide the ranks of `smallShapes`, and the loops over them. */
const lines: Readonly<Record<string, (tile: number) => readonly string[]>> = {
  'attention-1-pass': (tile) => [`partition: { P: [P1, P0 ${tile}] }`, 'loops: [b, h, p1, m1]'],
  'attention-2-pass': (tile) => [`partition: { P: [P1, P0 ${tile}] }`, 'loops: [b, h, p1]'],
  'attention-3-pass': (tile) => [`partition: { P: [P1, P0 ${tile}] }`, 'loops: [b, h, p1]'],
  'attention-gqa': (tile) => [`partition: { P: [P1, P0 ${tile}] }`, 'loops: [b, g, p1, m1, r]'],
  'attention-sliding-window': (tile) => [`partition: { P: [P1, P0 ${tile}] }`, 'loops: [b, h, p1]'],
  bottleneck: () => ['loops: [n]'],
  'conv-chain': () => ['loops: [n, p1]', 'hold: [W1, W2, B1, B2]'],
  'layer-norm': (tile) => [`partition: { P: [P1, P0 ${tile}] }`, 'loops: [b, p1]'],
  'mamba-scan': (tile) => [`partition: { D: [D1, D0 ${tile}] }`, 'loops: [b, d1, t]'],
  mlp: (tile) => [`partition: { N: [N1, N0 ${tile}], F: [F1, F0 ${2 * tile}] }`, 'loops: [f1, n1]'],
  'mlp-gated': (tile) => [`partition: { N: [N1, N0 ${tile}], F: [F1, F0 ${2 * tile}] }`, 'loops: [f1, n1]'],
  softmax: (tile) => [`partition: { N: [N1, N0 ${tile}] }`, 'loops: [n1]'],
};
export const fusedCascades = Object.keys(lines);
export const unfused = loadMapping('workloads/mappings/unfused.yaml');

export function inOneSection(name: string, tile = 8): LoadedMapping {
  return aMapping(...lines[name]!(tile));
}

/** Bytes that the main memory serves. */
export function trafficOf({ memories }: Result): number {
  const main = memories.filter(({ name }) => name === 'hbm' || name === 'dram');
  expect(main).toHaveLength(1);
  return main[0]!.bytesRead + main[0]!.bytesWritten;
}

/** Bytes of all inputs and outputs, each once. */
export function compulsory({ workload }: LoadedWorkload): number {
  const ends = workload.tensors.valueSeq().filter(({ role }) => role !== 'intermediate');
  return ends.reduce((sum, tensor) => sum + bytesOf(tensor), 0);
}

/** Bytes of what each section of `unfused` needs from outside and leaves for others. */
export function compulsoryUnfused(loaded: LoadedWorkload): number {
  const { workload } = loaded;
  const sections = bind(shippedMachine('flat'), loaded, unfused)
    .phases.toArray()
    .flatMap(({ sections: all }) => [...all]);
  const bits = elementBytes(workload, bitsOf);
  const extents = (variable: string): number => workload.ranks.get(variable.toUpperCase())!;
  // A window reaches over the edges of a padded tensor.
  const bytes = (access: Access): number =>
    Math.min(accessElements(access, extents), sizeOf(workload.tensors.get(access.tensor)!)) * bits(access.tensor);
  const accesses = sections.flatMap((section) => {
    const mine = einsumsOf(workload).filter(({ name }) => section.einsums.includes(name));
    const reads = mine.flatMap(({ expression }) => accessesOf(expression));
    const needed = reads.filter(({ tensor }) => mine.every(({ output }) => output.tensor !== tensor));
    const once = needed.filter((access, i) => needed.findIndex(({ tensor }) => tensor === access.tensor) === i);
    const left = mine.filter(({ output: { tensor } }) => isNeededOutside(loaded, tensor, section.einsums.toArray()));
    return [...once, ...left.map(({ output }) => output)];
  });
  return accesses.reduce((sum, access) => sum + bytes(access), 0);
}

function isNeededOutside({ workload }: LoadedWorkload, tensor: string, section: readonly string[]): boolean {
  const others = einsumsOf(workload).filter(({ name }) => !section.includes(name));
  const isRead = others.some(({ expression }) => accessesOf(expression).some((access) => access.tensor === tensor));
  return isRead || workload.tensors.get(tensor)!.role === 'output';
}

export function expectValues(result: Result): void {
  expect(result.values!.outputs.length).toBeGreaterThan(0);
  for (const { maxRelError } of result.values!.outputs) expect(maxRelError).toBeLessThanOrEqual(1e-9);
}
