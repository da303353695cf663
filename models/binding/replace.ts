/** Tensors whose tiles take the place of another tensor's in the scratchpad. */
import { BindError, type Read } from './dependencies.ts';
import type { Layout } from './plan.ts';
import { Guard } from './program.ts';
import { accessElements, tileExtents } from './tile-ops.ts';

/** Holds nowhere: no iteration is both the first and not the first. */
export const never = new Guard({ first: 1, notFirst: 1 });

/**
 * The last einsum that reads what `reader` makes in the place of `read`.
 * @throws BindError when the tiles differ, others need the old one still, or the new one's last reader is elsewhere.
 */
export function lastReader({ plan, nodes, made }: Layout, reader: number, read: Read): number {
  const { tensor, readers, stored } = made[reader]!;
  const fail = (why: string): never => {
    throw new BindError(`${tensor} cannot take the place of ${read.tensor}: ${why}`, 'replace');
  };
  const elements = (position: number): number => accessElements(nodes[position]!.einsum.output, tileExtents(plan.nest));
  if (plan.nest.all === 0) fail('there are no loops');
  if (read.kind !== 'tile') fail(`it is not made from a tile of ${read.tensor} alone`);
  if (elements(reader) !== elements(read.producer)) fail('their tiles are not equally large');
  if (stored || made[read.producer]!.stored) fail('one of them goes to memory');
  const others = made[read.producer]!.readers.filter(({ node }) => node > reader);
  if (others.length > 0) fail(`${nodes[others[0]!.node]!.einsum.name} still reads ${read.tensor}`);
  const last = Math.max(-1, ...readers.map(({ node }) => node));
  if (last < 0) return fail('nothing reads it');
  const elsewhere = plan.assignments[last]!.engine.path !== plan.assignments[reader]!.engine.path;
  if (elsewhere) fail(`${nodes[last]!.einsum.name}, which reads it last, is on another engine`);
  if (nodes[last]!.iterates !== nodes[reader]!.iterates) fail(`${nodes[last]!.einsum.name} runs in other loops`);
  return last;
}
