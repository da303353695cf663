/**
 * Which part of the iteration space, and of a tensor, an iteration of a program's loops works on. What moves tiles needs it:
 * values through a machine, and addresses in a memory.
 */
import { type Box, clamp, type Region, regionOf } from '../workloads/language/region.ts';
import { type Access, accessesOf, einsumsOf, type Workload } from '../workloads/language/workload.ts';
import type { EngineProgram, FoldAxis, FoldSide, Folds, Op, Section, Share } from './binding/program.ts';
import { readName } from './binding/topology.ts';

type Range = readonly [from: number, to: number];

/** What a DMA's operation moves of its tensor, in regions inside the tensor that may overlap; by the digits of its loops. */
export function movedRegions(
  op: Op,
  program: EngineProgram,
  section: Section,
  workload: Workload,
): (digits: Int32Array) => Region[] {
  const shape = workload.tensors.get(op.name)!.shape.toArray();
  const { indices } = op;
  if (indices !== null) return (digits) => [clamp(regionOf(indices, boxOf(digits, program, section), shape), shape)];
  const { core } = readName(program.engine);
  const array = section.engines.find(({ engine, folds }) => folds !== null && readName(engine).core === core);
  const einsum = einsumsOf(workload).find(({ name }) => name === array?.ops.first()?.name);
  if (!array?.folds || !einsum) throw new Error(`nothing says which part of ${op.name} ${program.engine} moves`);
  const access = accessTo(op.name, [einsum.output, ...accessesOf(einsum.expression)]);
  const { folds } = array;
  return (digits) =>
    foldBoxes(folds, program, op, access, digits).map((box) => clamp(regionOf(access.indices, box, shape), shape));
}

export function accessTo(tensor: string, accesses: readonly Access[]): Access {
  const access = accesses.find((candidate) => candidate.tensor === tensor);
  if (!access) throw new Error(`no access to ${tensor}`);
  return access;
}

/** The part of the iteration space that an iteration of a program's loops covers: all of what they do not step over. */
export function boxOf(digits: Int32Array, { loops, share }: EngineProgram, { tiles }: Section): Box {
  const first = new Map<string, number>();
  const step = new Map<string, number>();
  loops.forEach(({ variable, stride }, i) => {
    first.set(variable, (first.get(variable) ?? 0) + digits[i]! * stride);
    step.set(variable, stride);
  });
  return new Map(
    tiles.entrySeq().map(([variable, { extent, tile }]) => {
      const [begin, end] = share?.variable === variable ? [share.from, share.to] : [0, extent];
      const from = begin + (first.get(variable) ?? 0) * tile;
      return [variable, [from, Math.min(end, from + (step.get(variable) ?? Infinity) * tile)] as const];
    }),
  );
}

/** The part of the iteration space that an operation of folds works on, as boxes; of what an access depends on. */
export function foldBoxes(
  { sides, block }: Folds,
  program: EngineProgram,
  op: Op,
  access: Access | null,
  digits: Int32Array,
): Box[] {
  const at = (axis: FoldAxis): number => {
    const loop = program.loops.findIndex(({ variable }) => variable === axis);
    return loop < 0 ? 0 : digits[loop]!;
  };
  const piece = digits[digits.length - 1]!;
  return [...sides].reduce<Box[]>(
    (boxes, [axis, side]) => {
      const matters = side.variables.some((v) => access === null || has(access, v));
      if (!matters) return boxes;
      const own = axis === 'time' ? timeOf(side, block, at('batches'), piece) : rangeOf(side, at(axis));
      const inTime = access === null || sides.get('time')!.variables.some((v) => has(access, v));
      const range = axis === 'rows' && !inTime ? sliceOf(own, piece, op.inner, side.tile) : own;
      const parts = boxesOf(side, range, program.share);
      return boxes.flatMap((box) => parts.map((part) => new Map([...box, ...part])));
    },
    [new Map()],
  );
}

/** Whether an access depends on a rank variable. */
export function has(access: Access, variable: string): boolean {
  return access.indices.some((index) => index.terms.has(variable));
}

/** A piece of a block of time; blocks are the batches where there are several. */
function timeOf(side: FoldSide, block: number, batch: number, piece: number): Range {
  const size = side.extents.reduce((product, extent) => product * extent, 1);
  if (block === 0) return rangeOf(side, piece);
  const from = batch * block;
  const to = Math.min(size, from + block);
  const share = Math.floor(((to - from) * side.tile) / block);
  return [from + piece * share, piece === side.count - 1 ? to : from + (piece + 1) * share];
}

function rangeOf({ extents, tile, count }: FoldSide, index: number): Range {
  const size = extents.reduce((product, extent) => product * extent, 1);
  return [index * tile, index === count - 1 ? size : (index + 1) * tile];
}

/** One of `count` slices of a range that is at most `tile` long. */
function sliceOf([from, to]: Range, index: number, count: number, tile: number): Range {
  const slice = Math.ceil(tile / count);
  return [Math.min(to, from + index * slice), index === count - 1 ? to : Math.min(to, from + (index + 1) * slice)];
}

/** A range of flattened variables as boxes, in order. */
export function boxesOf(
  { variables, extents }: Pick<FoldSide, 'variables' | 'extents'>,
  [from, to]: Range,
  share: Share | null = null,
): Box[] {
  if (from >= to) return [];
  if (variables.isEmpty()) return [new Map()];
  const first = variables.first()!;
  const rest = { variables: variables.rest(), extents: extents.rest() };
  const inner = rest.extents.reduce((product, extent) => product * extent, 1);
  const origin = share?.variable === first ? share.from : 0;
  const within = (low: number, high: number, part: Box): Box =>
    new Map([[first, [origin + low, origin + high]], ...part]);
  const boxes: Box[] = [];
  for (let at = from; at < to; ) {
    const value = Math.floor(at / inner);
    const begin = at - value * inner;
    const whole = begin === 0 ? Math.floor((to - at) / inner) : 0;
    const end = whole > 0 ? at + whole * inner : Math.min(to, (value + 1) * inner);
    const parts = boxesOf(rest, whole > 0 ? [0, inner] : [begin, begin + end - at], share);
    for (const part of parts) boxes.push(within(value, value + Math.max(1, whole), part));
    at = end;
  }
  return boxes;
}
