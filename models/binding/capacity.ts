/** Whether what a section keeps on the chip fits there. */
import { bytes } from '../../arch/language/describe.ts';
import { BindError, type Node } from './dependencies.ts';
import type { Layout, Plan } from './plan.ts';
import type { Buffer } from './program.ts';
import type { Schedule } from './schedule.ts';
import { accessElements, tileExtents } from './tile-ops.ts';
import type { Topology } from './topology.ts';

/** @throws BindError when the buffers of a scratchpad need more than it has: by how much, and which are largest. */
export function checkScratchpads(buffers: readonly Buffer[], topology: Topology): void {
  for (const { path, part } of topology.pads) {
    const mine = buffers.filter((buffer) => buffer.memory === path);
    const needed = mine.reduce((sum, buffer) => sum + buffer.bytes, 0);
    const capacity = part.capacity * part.count;
    if (needed <= capacity) continue;
    const largest = mine.sort((a, b) => b.bytes - a.bytes).slice(0, 3);
    const list = largest.map((b) => `${b.tensor} ${b.tiles} x ${bytes(Math.ceil(b.bytes / b.tiles))}`).join(', ');
    throw new BindError(
      `${path} is too small by ${bytes(needed - capacity)}: it holds ${bytes(capacity)}, and ${bytes(needed)} are needed; largest: ${list}`,
      'partition',
      'use smaller tiles, hold or stream less',
      needed - capacity,
    );
  }
}

/** Tiles that live at once because another pass reads them. */
function passTiles({ nest }: Plan, from: Node, to: Node, read: number): number {
  return from.pass === to.pass ? 1 : nest.trips(nest.inside(to.reads[read]!.loops, nest.passes));
}

/**
 * @throws BindError when the tensors kept in an engine's registers need more words per PE or lane than it has. A tensor
 * needs one copy of its tile for each round between its making and its last use.
 */
export function checkRegisters({ plan, nodes, made }: Layout, { stages }: Schedule): void {
  const used = new Map<string, { words: number; tensors: string[] }>();
  for (const { producer, tensor, readers } of made) {
    const kept = readers
      .filter(({ way }) => way.kind === 'registers')
      .map(({ node }) => stages[node]! - stages[producer]!);
    if (kept.length === 0) continue;
    const { path, part } = plan.assignments[producer]!.engine;
    if (part.kind === 'memory') throw new BindError(`${path} has no registers to keep ${tensor} in`, 'place');
    const units = (part.kind === 'array' ? part.rows * part.columns : part.lanes) * part.count;
    const elements = accessElements(nodes[producer]!.einsum.output, tileExtents(plan.nest));
    const held = readers.map(({ node, read }) => passTiles(plan, nodes[producer]!, nodes[node]!, read));
    const words = Math.ceil(elements / units) * (Math.max(...held) + Math.max(...kept));
    const before = used.get(path) ?? { words: 0, tensors: [] };
    used.set(path, { words: before.words + words, tensors: [...before.tensors, `${tensor} ${words}`] });
    const has = part.registers?.words ?? Number.POSITIVE_INFINITY;
    if (before.words + words <= has) continue;
    throw new BindError(
      `${path} has ${has} words of registers, and ${before.words + words} are needed to keep ${used.get(path)!.tensors.join(', ')}`,
      'place',
      'keep less there, or use smaller tiles',
    );
  }
}
