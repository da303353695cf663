/**
 * Real numbers through the simulated machine: whenever an engine executes an operation on a tile, the tile's values are
 * computed from what is on the chip at that moment, and a DMA copies tiles between memory and chip. What has not been
 * made, or was loaded into a buffer that another tile has taken since, is not a number, so that a token too few shows.
 * The order is that of the run, not of its clock: a load counts as there from when its transfer is issued.
 */
import { InputError } from '../arch/language/diagnostics.ts';
import { type Box, compileEinsum, evaluate, randomInputs, setInitial } from '../workloads/language/evaluate.ts';
import { sizeOf } from '../workloads/language/shapes.ts';
import { type Einsum, einsumsOf, type Index, type Workload } from '../workloads/language/workload.ts';
import type { EngineProgram, Op, Section } from './binding/program.ts';
import type { Observer } from './compute/engine.ts';
import type { Watch } from './machine.ts';
import type { Result } from './result.ts';

/** Elements, all tensors together, that a run with values holds at most; each is a double, twice. */
const mostElements = 2 ** 26;

/** From and up to, by dimension of a tensor. */
type Region = readonly (readonly [from: number, to: number])[];

type Tensors = Map<string, Float64Array>;

export class ValueRun {
  readonly #workload: Workload;
  readonly #inputs: Tensors;
  readonly #memory: Tensors;
  readonly #einsums: ReadonlyMap<string, Einsum>;

  /** @throws InputError when the tensors are too large to compute. */
  constructor(workload: Workload, seed = 1) {
    const elements = workload.tensors.valueSeq().reduce((sum, tensor) => sum + sizeOf(tensor), 0);
    if (elements > mostElements) {
      const message = `a run with values holds every tensor, and ${elements} elements are too many (at most ${mostElements})`;
      throw new InputError({ message, hint: 'make ranks smaller with --shape, such as --shape P=256' });
    }
    this.#workload = workload;
    this.#inputs = randomInputs(workload, seed);
    this.#einsums = new Map(einsumsOf(workload).map((einsum) => [einsum.name, einsum]));
    this.#memory = this.#unmade();
    for (const [name, values] of this.#inputs) this.#memory.set(name, values);
  }

  readonly watch: Watch = (section) => {
    // What is on the chip does not outlive its section.
    const chip = this.#unmade();
    const loads = new Map<string, Region[][]>();
    return (engine) => {
      const program = section.engines.get(engine)!;
      const observers = program.ops.toArray().map((op) => this.#observe(op, program, section, chip, loads));
      return (op, digits) => observers[op]!(op, digits);
    };
  };

  /** Outputs of the machine against the evaluator's. */
  compare(): NonNullable<Result['values']> {
    const expected = evaluate(this.#workload, this.#inputs);
    const outputs = this.#workload.tensors.valueSeq().filter((tensor) => tensor.role === 'output');
    return {
      outputs: outputs.toArray().map(({ name }) => {
        const made = this.#memory.get(name)!;
        let maxAbsError = 0;
        let maxRelError = 0;
        let maxAbs = 0;
        expected.get(name)!.forEach((value, i) => {
          const error = Math.abs(made[i]! - value);
          maxAbs = Math.max(maxAbs, Math.abs(value));
          // Not a number counts as infinitely wrong.
          maxAbsError = error <= maxAbsError ? maxAbsError : Number.isNaN(error) ? Infinity : error;
          const relative = error === 0 ? 0 : error / Math.abs(value);
          maxRelError = relative <= maxRelError ? maxRelError : Number.isNaN(relative) ? Infinity : relative;
        });
        return { tensor: name, elements: made.length, maxAbs, maxAbsError, maxRelError };
      }),
    };
  }

  /** Every tensor full of "not a number", but for initial values. */
  #unmade(): Tensors {
    const tensors = new Map(
      this.#workload.tensors
        .valueSeq()
        .map((t): [string, Float64Array] => [t.name, new Float64Array(sizeOf(t)).fill(NaN)]),
    );
    for (const einsum of einsumsOf(this.#workload))
      setInitial(this.#workload, einsum, tensors.get(einsum.output.tensor)!);
    return tensors;
  }

  /** `loads` lists the tiles on the chip by tensor, for every load of it. */
  #observe(op: Op, program: EngineProgram, section: Section, chip: Tensors, loads: Map<string, Region[][]>): Observer {
    const box = (digits: Int32Array): Box => boxOf(digits, program, section);
    if (program.kind === 'dma') {
      const onChip = chip.get(op.name)!;
      const inMemory = this.#memory.get(op.name)!;
      const shape = this.#workload.tensors.get(op.name)!.shape.toArray();
      const region = (digits: Int32Array): Region => regionOf(op.indices!.toArray(), box(digits), shape);
      if (op.gives.isEmpty()) return (_, digits) => copy(onChip, inMemory, region(digits), shape);
      const tiles = section.buffers.find((buffer) => buffer.tensor === op.name)!.tiles;
      const slots: Region[] = [];
      const ofTensor = loads.get(op.name) ?? [];
      loads.set(op.name, ofTensor);
      ofTensor.push(slots);
      return (_, digits) => {
        const next = region(digits);
        slots.push(next);
        const old = slots.length > tiles ? slots.shift() : undefined;
        // Tiles of one tensor may share elements, such as a convolution's halo.
        const stays = old && ofTensor.some((others) => others.some((other) => overlap(other, old)));
        if (old && !stays) forget(onChip, old, shape);
        copy(inMemory, onChip, next, shape);
      };
    }
    const einsum = this.#einsums.get(op.name)!;
    const compute = compileEinsum(this.#workload, einsum);
    const read = (tensor: string): Float64Array => chip.get(tensor)!;
    return (_, digits) => compute(read, chip.get(einsum.output.tensor)!, box(digits));
  }
}

/** The part of the iteration space that an iteration of a program's loops covers. */
function boxOf(digits: Int32Array, program: EngineProgram, { tiles }: Section): Box {
  const first = new Map<string, number>();
  program.loops.forEach(({ variable, stride }, i) => {
    first.set(variable, (first.get(variable) ?? 0) + digits[i]! * stride);
  });
  return new Map(
    tiles.entrySeq().map(([variable, { extent, tile }]) => {
      const from = (first.get(variable) ?? 0) * tile;
      return [variable, [from, Math.min(extent, from + tile)] as const];
    }),
  );
}

function regionOf(indices: readonly Index[], box: Box, shape: readonly number[]): Region {
  return indices.map(({ terms, constant, final }, d) => {
    if (final !== null) return [shape[d]! - 1, shape[d]!];
    let from = constant;
    let last = constant;
    for (const [variable, coefficient] of terms) {
      const [low, high] = box.get(variable)!;
      from += coefficient * low;
      last += coefficient * (high - 1);
    }
    return [from, last + 1];
  });
}

function overlap(a: Region, b: Region): boolean {
  return a.every(([from, to], d) => from < b[d]![1] && b[d]![0] < to);
}

function copy(source: Float64Array, target: Float64Array, region: Region, shape: readonly number[]): void {
  eachRow(region, shape, (from, to) => target.set(source.subarray(from, to), from));
}

function forget(target: Float64Array, region: Region, shape: readonly number[]): void {
  eachRow(region, shape, (from, to) => target.fill(NaN, from, to));
}

/** Visits the runs of consecutive elements of a region of a row-major tensor. */
function eachRow(region: Region, shape: readonly number[], visit: (from: number, to: number) => void): void {
  const walk = (d: number, base: number): void => {
    if (d === shape.length) {
      visit(base, base + 1);
      return;
    }
    const [from, to] = region[d]!;
    if (d === shape.length - 1) {
      visit(base * shape[d]! + from, base * shape[d]! + to);
      return;
    }
    for (let i = from; i < to; i++) walk(d + 1, base * shape[d]! + i);
  };
  walk(0, 0);
}
