/**
 * Real numbers through the simulated machine: whenever an engine executes an operation on a tile, the tile's values are
 * computed from what is on the chip at that moment, and a DMA copies tiles between memory and chip. What has not been
 * made, or was loaded into a buffer that another tile has taken since, is not a number, so that a token too few shows.
 * The order is that of the run, not of its clock: a load counts as there from when its transfer is issued.
 */
import { InputError } from '../arch/language/diagnostics.ts';
import {
  type CompiledEinsum,
  compileEinsum,
  evaluate,
  randomInputs,
  setInitial,
} from '../workloads/language/evaluate.ts';
import { identities } from '../workloads/language/operators.ts';
import { type Box, clamp, eachRow, offsetOf, type Region, regionOf } from '../workloads/language/region.ts';
import { sizeOf } from '../workloads/language/shapes.ts';
import { type Einsum, einsumsOf, type Workload } from '../workloads/language/workload.ts';
import { workloadOf } from './binding/cores.ts';
import { type EngineProgram, foldsOf, type Op, type Product, type Section, type Share } from './binding/program.ts';
import { readName } from './binding/topology.ts';
import type { Observer } from './compute/engine.ts';
import { FoldValues } from './fold-values.ts';
import type { Watch } from './machine.ts';
import { boxesOf, boxOf, movedRegions } from './regions.ts';
import type { Result } from './result.ts';

/** Elements, all tensors together, that a run with values holds at most; each is a double, twice. */
const mostElements = 2 ** 26;

type Tensors = Map<string, Float64Array>;

/** A section while it runs. */
interface Running {
  readonly workload: Workload;
  readonly section: Section;
  readonly chip: Tensors;
  /** Tiles on the chip by tensor, for every load of it. */
  readonly loads: Map<string, Region[][]>;
}

export class ValueRun {
  readonly #workload: Workload;
  readonly #inputs: Tensors;
  readonly #memory: Tensors;

  /** @throws InputError when the tensors are too large to compute. */
  constructor(workload: Workload, seed = 1) {
    const elements = workload.tensors.valueSeq().reduce((sum, tensor) => sum + sizeOf(tensor), 0);
    if (elements > mostElements) {
      const message = `a run with values holds every tensor, and ${elements} elements are too many (at most ${mostElements})`;
      throw new InputError({ message, hint: 'make ranks smaller with --shape, such as --shape P=256' });
    }
    this.#workload = workload;
    this.#inputs = randomInputs(workload, seed);
    this.#memory = unmade(workload);
    for (const [name, values] of this.#inputs) this.#memory.set(name, values);
  }

  readonly watch: Watch = (section) => {
    // Partial results of cores are tensors that the workload does not have.
    const workload = workloadOf(this.#workload, [section]);
    for (const tensor of workload.tensors.valueSeq()) {
      if (!this.#memory.has(tensor.name)) this.#memory.set(tensor.name, new Float64Array(sizeOf(tensor)).fill(NaN));
    }
    if (foldsOf(section)) return this.#watchFolds(section, workload);
    // What is on the chip does not outlive its section.
    const running: Running = { workload, section, chip: unmade(workload), loads: new Map() };
    return (engine) => {
      const program = section.engines.get(engine)!;
      const observers = program.ops.toArray().map((op) => this.#observe(op, program, running));
      return (op, digits, start, end) => observers[op]!(op, digits, start, end);
    };
  };

  /** Each core runs folds of its own, from a chip of its own. */
  #watchFolds(section: Section, workload: Workload): (engine: number) => Observer {
    const coreOf = (name: string): number | null => readName(name).core;
    const observers = new Map<EngineProgram, Observer>();
    for (const array of section.engines.filter(({ kind }) => kind === 'array')) {
      const core = coreOf(array.engine);
      const programs = section.engines.toArray().filter(({ engine }) => coreOf(engine) === core);
      const own = section.update('buffers', (buffers) => buffers.filter(({ memory }) => coreOf(memory) === core));
      const einsum = einsumsOf(workload).find(({ name }) => name === array.ops.first()!.name)!;
      const chip = unmade(workload);
      startSum(einsum, array.share, chip);
      const compute = compileEinsum(workload, einsum);
      const values = new FoldValues(own, array.folds!, workload, einsum, compute, this.#memory);
      for (const [i, observer] of values.observers(programs, chip).entries()) observers.set(programs[i]!, observer);
    }
    return (engine) => observers.get(section.engines.get(engine)!)!;
  }

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

  #observe(op: Op, program: EngineProgram, { workload, section, chip, loads }: Running): Observer {
    const box = (digits: Int32Array): Box => boxOf(digits, program, section);
    if (program.kind === 'dma') {
      const onChip = chip.get(op.name)!;
      const inMemory = this.#memory.get(op.name)!;
      const shape = workload.tensors.get(op.name)!.shape.toArray();
      const regions = movedRegions(op, program, section, workload);
      const region = (digits: Int32Array): Region => regions(digits)[0]!;
      const isStore = op.accesses.first()!.write;
      if (isStore) return (_, digits) => copy(onChip, inMemory, region(digits), shape);
      const { tiles } = section.buffers.find(
        ({ tensor, memory }) => tensor === op.name && op.accesses.some((access) => access.memory === memory),
      )!;
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
        if (old && !stays) fill(onChip, old, shape, NaN);
        copy(inMemory, onChip, next, shape);
      };
    }
    const einsum = einsumsOf(workload).find(({ name }) => name === op.name)!;
    const compute = compileEinsum(workload, einsum);
    if (op.product) return this.#multiply(einsum, op.product, { workload, section, chip, loads }, compute, box);
    startSum(einsum, program.share, chip);
    const read = (tensor: string): Float64Array => chip.get(tensor)!;
    return (_, digits) => compute(read, chip.get(einsum.output.tensor)!, box(digits));
  }

  /** The matrix is in memory. Each part of a sum is that of its own columns. */
  #multiply(
    { output }: Einsum,
    { matrix, columns, part, parts, inPart }: Product,
    { workload, section, chip }: Running,
    compute: CompiledEinsum,
    box: (digits: Int32Array) => Box,
  ): Observer {
    const read = (tensor: string): Float64Array => (tensor === matrix ? this.#memory : chip).get(tensor)!;
    const write = chip.get(output.tensor)!;
    if (part === '') return (_, digits) => compute(read, write, box(digits));
    const shape = workload.tensors.get(output.tensor)!.shape.toArray();
    const extents = columns.map((v) => section.tiles.get(v)!.extent);
    const side = { variables: columns, extents };
    const all = extents.reduce((product, extent) => product * extent, 1);
    return (_, digits) => {
      const tile = box(digits);
      fill(write, clamp(regionOf(output.indices, tile, shape), shape), shape, 0);
      for (let p = 0; p < parts; p++) {
        for (const some of boxesOf(side, [p * inPart, Math.min(all, (p + 1) * inPart)])) {
          compute(read, write, new Map([...tile, ...some, [part, [p, p + 1]]]));
        }
      }
    };
  }
}

/** Every tensor full of "not a number", but for initial values. */
function unmade(workload: Workload): Tensors {
  const tensors = new Map(
    workload.tensors.valueSeq().map((t): [string, Float64Array] => [t.name, new Float64Array(sizeOf(t)).fill(NaN)]),
  );
  for (const einsum of einsumsOf(workload)) setInitial(workload, einsum, tensors.get(einsum.output.tensor)!);
  return tensors;
}

/** A core's part of a sum that does not begin where the whole does has to begin with nothing. */
function startSum({ reduced, reducer, output }: Einsum, share: Share | null, chip: Tensors): void {
  if (share && share.from > 0 && reduced.includes(share.variable)) {
    chip.get(output.tensor)!.fill(identities[reducer]);
  }
}

function overlap(a: Region, b: Region): boolean {
  return a.every(([from, to], d) => from < b[d]![1] && b[d]![0] < to);
}

function copy(source: Float64Array, target: Float64Array, region: Region, shape: readonly number[]): void {
  eachRow(region, (position, count) => {
    const at = offsetOf(position, shape);
    target.set(source.subarray(at, at + count), at);
  });
}

function fill(target: Float64Array, region: Region, shape: readonly number[], value: number): void {
  eachRow(region, (position, count) => {
    const at = offsetOf(position, shape);
    target.fill(value, at, at + count);
  });
}
