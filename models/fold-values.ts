/**
 * Real numbers through a section of folds: DMAs copy pieces between memory and chip, the array takes its stationary operand
 * into registers when it loads, and computes what streams through from what is on the chip at that moment.
 */
import type { CompiledEinsum } from '../workloads/language/evaluate.ts';
import { type Box, clamp, eachRow, offsetOf, regionOf } from '../workloads/language/region.ts';
import { type Access, accessesOf, type Einsum, type Workload } from '../workloads/language/workload.ts';
import type { EngineProgram, FoldAxis, FoldSide, Folds, Op, Section, Share } from './binding/program.ts';
import type { Observer } from './compute/engine.ts';

type Tensors = ReadonlyMap<string, Float64Array>;
type Range = readonly [from: number, to: number];

export class FoldValues {
  readonly #section: Section;
  readonly #folds: Folds;
  readonly #einsum: Einsum;
  readonly #compute: CompiledEinsum;
  readonly #shapes: ReadonlyMap<string, readonly number[]>;
  readonly #memory: Tensors;

  constructor(
    section: Section,
    folds: Folds,
    workload: Workload,
    einsum: Einsum,
    compute: CompiledEinsum,
    memory: Tensors,
  ) {
    this.#section = section;
    this.#folds = folds;
    this.#einsum = einsum;
    this.#compute = compute;
    this.#memory = memory;
    this.#shapes = new Map(workload.tensors.valueSeq().map((t) => [t.name, t.shape.toArray()]));
  }

  /** Observers of a core's engines, which share what is on its chip: by program. */
  observers(programs: readonly EngineProgram[], chip: Tensors): Observer[] {
    const registers = new Map([...chip].map(([name, values]) => [name, new Float64Array(values.length).fill(NaN)]));
    return programs.map((program) => {
      const perOp = program.ops.toArray().map((op) => this.#observe(op, program, chip, registers));
      return (op, digits) => perOp[op]!(op, digits);
    });
  }

  #observe(op: Op, program: EngineProgram, chip: Tensors, registers: Tensors): Observer {
    if (program.kind === 'dma') {
      const access = [this.#einsum.output, ...accessesOf(this.#einsum.expression)].find((a) => a.tensor === op.name)!;
      const piece = (digits: Int32Array): Int32Array =>
        this.#elements(access, this.#boxes(program, op, access, digits));
      return access === this.#einsum.output ? this.#moveResults(op, piece, chip) : this.#load(op, piece, chip);
    }
    const operands = accessesOf(this.#einsum.expression);
    const time = this.#folds.sides.get('time')!;
    const held = operands.filter((access) => !time.variables.some((v) => has(access, v)) && this.#isStationary(access));
    if (op.points.some((points) => points > 0)) {
      const read = (tensor: string): Float64Array =>
        (held.some((access) => access.tensor === tensor) ? registers : chip).get(tensor)!;
      const write = chip.get(this.#einsum.output.tensor)!;
      return (_, digits) => {
        for (const box of this.#boxes(program, op, null, digits)) this.#compute(read, write, box);
      };
    }
    if (op.takes.isEmpty()) return () => undefined;
    return (_, digits) => {
      for (const access of held) {
        const [from, to] = [chip.get(access.tensor)!, registers.get(access.tensor)!];
        for (const element of this.#elements(access, this.#boxes(program, op, access, digits)))
          to[element] = from[element]!;
      }
    };
  }

  /** Whether the array loads it before it streams: what takes tokens without computing. */
  #isStationary(access: Access): boolean {
    const array = this.#section.engines.find((program) => program.kind === 'array')!;
    const loads = array.ops.filter((op) => op.points.every((points) => points === 0)).flatMap((op) => op.takes);
    return loads.some(({ channel }) => this.#section.channels.get(channel)!.tensor === access.tensor);
  }

  #load(op: Op, piece: (digits: Int32Array) => Int32Array, chip: Tensors): Observer {
    const onChip = chip.get(op.name)!;
    const inMemory = this.#memory.get(op.name)!;
    const { tiles } = this.#section.buffers.find((buffer) => buffer.tensor === op.name)!;
    const pieces: Int32Array[] = [];
    // Pieces share elements where windows overlap.
    const users = new Int32Array(onChip.length);
    return (_, digits) => {
      const next = piece(digits);
      pieces.push(next);
      for (const element of next) {
        users[element]!++;
        onChip[element] = inMemory[element]!;
      }
      if (pieces.length <= tiles) return;
      for (const element of pieces.shift()!) if (--users[element]! === 0) onChip[element] = NaN;
    };
  }

  /** Results go to memory, or partial sums come back: what is not on the chip any more is not a number there. */
  #moveResults(op: Op, piece: (digits: Int32Array) => Int32Array, chip: Tensors): Observer {
    const onChip = chip.get(op.name)!;
    const inMemory = this.#memory.get(op.name)!;
    const comesBack = op.takes.some(({ channel }) => this.#isMemory(channel));
    const staysAway = op.gives.some(({ channel }) => this.#isMemory(channel));
    return (_, digits) => {
      for (const element of piece(digits)) {
        if (comesBack) onChip[element] = inMemory[element]!;
        else inMemory[element] = onChip[element]!;
        if (staysAway) onChip[element] = NaN;
      }
    };
  }

  /** Whether a channel joins two DMAs, so that what it stands for is in memory. */
  #isMemory(channel: number): boolean {
    const { from, to } = this.#section.channels.get(channel)!;
    return [from, to].every((engine) => this.#section.engines.get(engine)!.kind === 'dma');
  }

  /** A piece of a block of time; blocks are the batches where there are several. */
  #timeOf(side: FoldSide, batch: number, piece: number): Range {
    const size = side.extents.reduce((product, extent) => product * extent, 1);
    const { block } = this.#folds;
    if (block === 0) return rangeOf(side, piece);
    const from = batch * block;
    const to = Math.min(size, from + block);
    const share = Math.floor(((to - from) * side.tile) / block);
    return [from + piece * share, piece === side.count - 1 ? to : from + (piece + 1) * share];
  }

  /** Positions of the elements of an access in boxes, those of overlapping boxes more than once. */
  #elements(access: Access, boxes: readonly Box[]): Int32Array {
    const shape = this.#shapes.get(access.tensor)!;
    const elements: number[] = [];
    for (const box of boxes) {
      eachRow(clamp(regionOf(access.indices, box, shape), shape), (position, count) => {
        const start = offsetOf(position, shape);
        for (let i = 0; i < count; i++) elements.push(start + i);
      });
    }
    return Int32Array.from(elements);
  }

  /** The part of the iteration space that an operation works on, as boxes; of what an access depends on. */
  #boxes(program: EngineProgram, op: Op, access: Access | null, digits: Int32Array): Box[] {
    const at = (axis: FoldAxis): number => {
      const loop = program.loops.findIndex(({ variable }) => variable === axis);
      return loop < 0 ? 0 : digits[loop]!;
    };
    const piece = digits[digits.length - 1]!;
    return [...this.#folds.sides].reduce<Box[]>(
      (boxes, [axis, side]) => {
        const matters = side.variables.some((v) => access === null || has(access, v));
        if (!matters) return boxes;
        const own = axis === 'time' ? this.#timeOf(side, at('batches'), piece) : rangeOf(side, at(axis));
        const inTime = access === null || this.#folds.sides.get('time')!.variables.some((v) => has(access, v));
        const range = axis === 'rows' && !inTime ? sliceOf(own, piece, op.inner, side.tile) : own;
        const parts = boxesOf(side, range, program.share);
        return boxes.flatMap((box) => parts.map((part) => new Map([...box, ...part])));
      },
      [new Map()],
    );
  }
}

function has(access: Access, variable: string): boolean {
  return access.indices.some((index) => index.terms.has(variable));
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
function boxesOf({ variables, extents }: FoldSide, [from, to]: Range, share: Share | null): Box[] {
  if (from >= to) return [];
  if (variables.isEmpty()) return [new Map()];
  const first = variables.first()!;
  const rest = { variables: variables.rest(), extents: extents.rest() } as FoldSide;
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
