/**
 * Real numbers through a section of folds: DMAs copy pieces between memory and chip, the array takes its stationary operand
 * into registers when it loads, and computes what streams through from what is on the chip at that moment.
 */
import type { CompiledEinsum } from '../workloads/language/evaluate.ts';
import { type Box, clamp, eachRow, offsetOf, regionOf } from '../workloads/language/region.ts';
import { type Access, accessesOf, type Einsum, type Workload } from '../workloads/language/workload.ts';
import type { EngineProgram, Folds, Op, Section } from './binding/program.ts';
import type { Observer } from './compute/engine.ts';
import { accessTo, foldBoxes, has } from './regions.ts';

type Tensors = ReadonlyMap<string, Float64Array>;

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
      return (op, digits, start, end) => perOp[op]!(op, digits, start, end);
    });
  }

  #observe(op: Op, program: EngineProgram, chip: Tensors, registers: Tensors): Observer {
    if (program.kind === 'dma') {
      const access = accessTo(op.name, [this.#einsum.output, ...accessesOf(this.#einsum.expression)]);
      const piece = (digits: Int32Array): Int32Array =>
        this.#elements(access, foldBoxes(this.#folds, program, op, access, digits));
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
        for (const box of foldBoxes(this.#folds, program, op, null, digits)) this.#compute(read, write, box);
      };
    }
    if (op.takes.isEmpty()) return () => undefined;
    return (_, digits) => {
      for (const access of held) {
        const [from, to] = [chip.get(access.tensor)!, registers.get(access.tensor)!];
        for (const element of this.#elements(access, foldBoxes(this.#folds, program, op, access, digits)))
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
}
