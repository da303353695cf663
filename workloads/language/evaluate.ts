/** What a cascade computes, in float64. */
import { identities, scalarFunction } from './operators.ts';
import { groupsOf } from './order.ts';
import { type Frame, frameOf } from './padding.ts';
import type { Box } from './region.ts';
import { extentsOf, sizeOf } from './shapes.ts';
import {
  type Access,
  accessesOf,
  type Einsum,
  type Expression,
  einsumsOf,
  Literal,
  Operation,
  type Sparsity,
  type Workload,
} from './workload.ts';

/**
 * Evaluates an einsum over a box of its iteration space. `read` gives a tensor's values and `write` is the output's,
 * both row-major by `Tensor.shape`. A variable that is absent from the box
 * runs over its whole extent. A box that begins where all reduced variables begin sets its outputs; any other
 * adds to what is there. Initial values of iterative ranks must be in place (`allocateTensors`). Not reentrant.
 */
export type CompiledEinsum = (read: (tensor: string) => Float64Array, write: Float64Array, box?: Box) => void;

/** A tensor while it is walked: `at` is the position of the current point's value. */
interface Cursor {
  readonly tensor: string;
  /** What a padded tensor is read through. */
  readonly frame: Frame | null;
  /** Steps by variable of the iteration space. */
  readonly strides: readonly number[];
  readonly origin: number;
  data: Float64Array;
  at: number;
}

export function compileEinsum(workload: Workload, einsum: Einsum): CompiledEinsum {
  const extents = [...extentsOf(workload, einsum)];
  const variables = extents.map(([variable]) => variable);
  const kept = variables.length - einsum.reduced.size;
  const accesses = accessesOf(einsum.expression);
  const space: Box = new Map(extents.map(([variable, extent]) => [variable, [0, extent]]));
  const operands = accesses.map((access) => {
    const { padded, shape } = workload.tensors.get(access.tensor)!;
    return cursorOf(workload, access, variables, padded ? frameOf(access, space, shape.toArray()) : null);
  });
  const output = cursorOf(workload, einsum.output, variables, null);
  const value = compileExpression(
    einsum.expression,
    (access) => operands[accesses.findIndex((a) => a.equals(access))]!,
  );
  const cursors = [output, ...operands];
  const run = innermost(einsum, value, output, operands, variables.length - 1);
  const identity = identities[einsum.reducer];

  return (read, write, box) => {
    const from = extents.map(([variable]) => box?.get(variable)?.[0] ?? 0);
    const to = extents.map(([variable, extent]) => box?.get(variable)?.[1] ?? extent);
    const part: Box = new Map(variables.map((variable, v) => [variable, [from[v]!, to[v]!]]));
    for (const operand of operands) {
      const data = read(operand.tensor);
      operand.data = operand.frame ? operand.frame.fill(data, part) : data;
    }
    output.data = write;
    if (kept < variables.length && from.every((first, v) => v < kept || first === 0)) {
      walk([output], from.slice(0, kept), to.slice(0, kept), (count) => {
        const step = output.strides[kept - 1] ?? 0;
        for (let i = 0; i < count; i++) write[output.at + i * step] = identity;
      });
    }
    walk(cursors, from, to, run);
  };
}

/** Visits a box, calling `run` at the start of each row along the last variable with the row's length. */
function walk(
  cursors: readonly Cursor[],
  from: readonly number[],
  to: readonly number[],
  run: (count: number) => void,
): void {
  if (from.some((first, v) => first >= to[v]!)) return;
  for (const cursor of cursors) {
    cursor.at = from.reduce((at, first, v) => at + first * cursor.strides[v]!, cursor.origin);
  }
  const last = from.length - 1;
  const row = last < 0 ? 1 : to[last]! - from[last]!;
  const counters = from.slice(0, Math.max(0, last));
  for (;;) {
    run(row);
    let v = last - 1;
    for (; v >= 0; v--) {
      const advanced = counters[v]! + 1 < to[v]!;
      const steps = advanced ? 1 : from[v]! - counters[v]!;
      counters[v]! += steps;
      for (const cursor of cursors) cursor.at += steps * cursor.strides[v]!;
      if (advanced) break;
    }
    if (v < 0) return;
  }
}

/** Evaluates one row of points along variable `v`, leaving the cursors where they were. */
function innermost(
  { reduced, reducer, expression }: Einsum,
  value: () => number,
  output: Cursor,
  operands: readonly Cursor[],
  v: number,
): (count: number) => void {
  const steps = operands.map((operand) => operand.strides[v] ?? 0);
  const step = output.strides[v] ?? 0;
  const [a, b] = operands;
  const isDotProduct =
    reducer === 'add' &&
    !reduced.isEmpty() &&
    expression instanceof Operation &&
    expression.operator === 'mul' &&
    !expression.operands.some((operand) => operand instanceof Operation || operand instanceof Literal);
  if (isDotProduct) {
    const [left, right] = [a!, b ?? a!];
    const [leftStep, rightStep] = [steps[0]!, steps[1] ?? steps[0]!];
    return (count) => {
      const { data: x, at: i } = left;
      const { data: y, at: j } = right;
      let sum = output.data[output.at]!;
      for (let k = 0; k < count; k++) sum += x[i + k * leftStep]! * y[j + k * rightStep]!;
      output.data[output.at] = sum;
    };
  }
  const combine = scalarFunction[reducer];
  const advance = (by: number): void => {
    for (let o = 0; o < operands.length; o++) operands[o]!.at += by * steps[o]!;
  };
  if (reduced.isEmpty()) {
    return (count) => {
      for (let k = 0; k < count; k++) {
        output.data[output.at + k * step] = value();
        advance(1);
      }
      advance(-count);
    };
  }
  return (count) => {
    let result = output.data[output.at]!;
    for (let k = 0; k < count; k++) {
      result = combine(result, value());
      advance(1);
    }
    output.data[output.at] = result;
    advance(-count);
  };
}

function compileExpression(expression: Expression, cursor: (access: Access) => Cursor): () => number {
  if (expression instanceof Literal) {
    const { value } = expression;
    return () => value;
  }
  if (!(expression instanceof Operation)) {
    const from = cursor(expression);
    return () => from.data[from.at]!;
  }
  const apply = scalarFunction[expression.operator];
  const [a, b] = expression.operands.toArray().map((operand) => compileExpression(operand, cursor));
  return b ? () => apply(a!(), b()) : () => apply(a!(), 0);
}

function cursorOf(
  workload: Workload,
  { tensor, indices }: Access,
  variables: readonly string[],
  frame: Frame | null,
): Cursor {
  const own = workload.tensors.get(tensor)!.shape.toArray();
  const shape = frame?.shape ?? own;
  const strides = variables.map(() => 0);
  let origin = 0;
  let stride = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    const { terms, constant, final } = indices.get(d)!;
    for (const [variable, factor] of terms) strides[variables.indexOf(variable)]! += stride * factor;
    origin += stride * ((final === null ? constant : own[d]! - 1) - (frame?.origin[d] ?? 0));
    stride *= shape[d]!;
  }
  return { tensor, frame, strides, origin, data: new Float64Array(0), at: 0 };
}

/** Storage for every tensor: the inputs as given, the others zero but for the initial values of iterative ranks. */
export function allocateTensors(
  workload: Workload,
  inputs: ReadonlyMap<string, Float64Array>,
): Map<string, Float64Array> {
  const tensors = new Map<string, Float64Array>();
  for (const tensor of workload.tensors.values()) {
    const given = inputs.get(tensor.name);
    if (tensor.role === 'input' && given?.length !== sizeOf(tensor)) {
      throw new Error(
        `input ${tensor.name} has ${given?.length ?? 'no'} values; its shape is ${tensor.shape.join(' x ')}`,
      );
    }
    tensors.set(tensor.name, tensor.role === 'input' ? given! : new Float64Array(sizeOf(tensor)));
  }
  for (const einsum of einsumsOf(workload)) setInitial(workload, einsum, tensors.get(einsum.output.tensor)!);
  return tensors;
}

/** Writes the first iterate of an iterative einsum's output; other einsums have none. */
export function setInitial(workload: Workload, einsum: Einsum, output: Float64Array): void {
  if (einsum.iterative === null || einsum.initial === null) return;
  // It is all that a walk with the iterative variable at -1 visits, since the output is at m+1.
  const first = new Map([[einsum.iterative, [-1, 0] as const]]);
  const fill = einsum.set('expression', new Literal({ value: einsum.initial })).set('reduced', einsum.reduced.clear());
  compileEinsum(workload, fill)(() => output, output, first);
}

/** Values of every tensor, inputs included. @throws Error when an input is missing or of another size than its shape. */
export function evaluate(workload: Workload, inputs: ReadonlyMap<string, Float64Array>): Map<string, Float64Array> {
  const tensors = allocateTensors(workload, inputs);
  const read = (tensor: string): Float64Array => tensors.get(tensor)!;
  for (const { einsums, variable } of groupsOf(einsumsOf(workload))) {
    const compiled = einsums.map((einsum) => compileEinsum(workload, einsum));
    const iterates = variable === null ? 1 : workload.ranks.get(variable.toUpperCase())!;
    for (let i = 0; i < iterates; i++) {
      const box: Box = new Map(variable === null ? [] : [[variable, [i, i + 1]]]);
      compiled.forEach((run, e) => {
        run(read, read(einsums[e]!.output.tensor), box);
      });
    }
  }
  return tensors;
}

/** Inputs with values in [-1, 1), zero where their sparsity has it so; the same for the same seed. */
export function randomInputs(workload: Workload, seed: number): Map<string, Float64Array> {
  const random = mulberry32(seed);
  const inputs = workload.tensors.valueSeq().filter((tensor) => tensor.role === 'input');
  return new Map(
    inputs.map((tensor) => {
      const values = Float64Array.from({ length: sizeOf(tensor) }, () => 2 * random() - 1);
      if (tensor.sparsity) prune(values, tensor.shape.toArray(), tensor.sparsity, random);
      return [tensor.name, values];
    }),
  );
}

/** Zeroes all but `kept` elements of every block, and of what is left of one at the end of the dimension. */
function prune(
  values: Float64Array,
  shape: readonly number[],
  { kept, of, dimension }: Sparsity,
  random: () => number,
): void {
  const extent = shape[dimension]!;
  const step = shape.slice(dimension + 1).reduce((product, e) => product * e, 1);
  for (let start = 0; start < values.length; start += extent * step) {
    for (let inner = 0; inner < step; inner++) {
      for (let first = 0; first < extent; first += of) {
        let left = Math.min(of, extent - first);
        let keep = Math.min(kept, left);
        // Every choice of `keep` of the elements that are left is as likely as any other.
        for (let i = first; left > 0; i++, left--) {
          if (random() * left < keep) keep--;
          else values[start + i * step + inner] = 0;
        }
      }
    }
  }
}

/** Tommy Ettinger's 32-bit generator, in [0, 1). */
export function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
