/** Makes the immutable values of a workload from a cascade that was checked. */
import { Map as ImmutableMap, List, OrderedMap } from 'immutable';
import type { Place } from '../../arch/language/diagnostics.ts';
import type { Checked, CheckedEinsum } from './check.ts';
import type { FlatDeclaration } from './graph.ts';
import { scalarFunction } from './operators.ts';
import type { Extents } from './ranks.ts';
import { sparsityOf } from './sparsity.ts';
import type { AccessSyntax, ExpressionSyntax, IndexSyntax } from './syntax.ts';
import { mergeIndices, partDimensions, readsParts, type Shaped } from './tensors.ts';
import {
  Access,
  Einsum,
  type Expression,
  Index,
  Literal,
  type LoadedWorkload,
  Operation,
  Step,
  Tensor,
  Workload,
} from './workload.ts';

/** Dimensions of an input that all of its readers access by the parts of the rank that it is declared on. */
type Splits = ReadonlyMap<string, ReadonlySet<number>>;

export function buildWorkload(flat: FlatDeclaration, extents: Extents, checked: Checked): LoadedWorkload {
  const splits = splitDimensions(flat, extents, checked);
  const places = new Map<string, Place>();
  const steps = flat.steps.map(({ name, repeat }, i) => {
    const einsums = checked.steps[i]!.map((einsum) => {
      places.set(einsum.output.tensor, einsum.output.at);
      return buildEinsum(einsum, extents, splits);
    });
    return new Step({ name, repeat, einsums: List(einsums) });
  });
  const { name, about, source, dtype } = flat;
  const { ranks, split } = extents;
  const tensors = buildTensors(flat, extents, checked, splits);
  return { workload: new Workload({ name, about, source, dtype, ranks, split, tensors, steps: List(steps) }), places };
}

function splitDimensions(flat: FlatDeclaration, extents: Extents, { tensors, steps }: Checked): Splits {
  const reads = new Map<string, IndexSyntax[][][]>();
  for (const [access, groups] of steps.flat().flatMap((einsum) => [...einsum.reads])) {
    reads.set(access.tensor, [...(reads.get(access.tensor) ?? []), groups]);
  }
  return new Map(
    flat.inputs.map(({ access: { tensor } }) => {
      const all = reads.get(tensor) ?? [];
      const dimensions = tensors
        .get(tensor)!
        .dimensions.map((dimension, d) =>
          all.length > 0 && all.every((groups) => readsParts(groups[d]!, dimension, extents.split)) ? d : -1,
        );
      return [tensor, new Set(dimensions)];
    }),
  );
}

function buildTensors(
  flat: FlatDeclaration,
  extents: Extents,
  { tensors, steps }: Checked,
  splits: Splits,
): OrderedMap<string, Tensor> {
  const declared = new Map([...flat.inputs, ...flat.outputs].map(({ access, dtype }) => [access.tensor, dtype?.name]));
  const outputs = new Set(flat.outputs.map(({ access }) => access.tensor));
  const shape = ({ name, dimensions }: Shaped): number[] =>
    dimensions.flatMap((dimension, d) =>
      splits.get(name)?.has(d) ? partDimensions(dimension, extents).map((part) => part.extent) : [dimension.extent],
    );
  const padded = new Set(flat.padded.map(({ tensor }) => tensor));
  const sparse = new Map(flat.sparse.map((syntax) => [syntax.tensor, syntax]));
  const instances = (name: string): number => {
    const reads = (einsum: CheckedEinsum): boolean => [...einsum.reads.keys()].some(({ tensor }) => tensor === name);
    return Math.max(1, ...flat.steps.filter((_, i) => steps[i]!.some(reads)).map(({ repeat }) => repeat));
  };
  return OrderedMap(
    [...tensors.values()].map((tensor) => {
      const { name } = tensor;
      const role = splits.has(name) ? 'input' : outputs.has(name) ? 'output' : 'intermediate';
      const dtype = declared.get(name) ?? flat.dtype;
      const syntax = sparse.get(name);
      const made = new Tensor({
        name,
        dtype,
        role,
        shape: List(shape(tensor)),
        padded: padded.has(name),
        sparsity: syntax ? sparsityOf(syntax, tensor, splits.get(name)!, extents) : null,
        instances: flat.weights.has(name) ? instances(name) : 1,
      });
      return [name, made] as const;
    }),
  );
}

function buildEinsum(einsum: CheckedEinsum, extents: Extents, splits: Splits): Einsum {
  const { output, reduction, reduced, iterative, initial } = einsum;
  const access = (syntax: AccessSyntax): Access => {
    const kept = splits.get(syntax.tensor);
    const groups = einsum.reads
      .get(syntax)!
      .flatMap((group, d) => (kept?.has(d) ? group.map((index) => [index]) : [group]));
    return new Access({ tensor: syntax.tensor, indices: List(groups.map((group) => mergeIndices(group, extents))) });
  };
  return new Einsum({
    name: output.tensor,
    output: new Access({ tensor: output.tensor, indices: List(output.indices.map(buildIndex)) }),
    expression: buildExpression(einsum.expression, access, extents.values),
    reduced: List(reduced),
    reducer: reduction?.reducer ?? 'add',
    iterative,
    initial,
  });
}

function buildIndex({ terms, constant, final }: IndexSyntax): Index {
  return new Index({ terms: ImmutableMap(terms), constant, final });
}

/** Ranks and parameters become numbers, and what is computed from numbers alone is computed now. */
function buildExpression(
  expression: ExpressionSyntax,
  access: (syntax: AccessSyntax) => Access,
  values: ReadonlyMap<string, number>,
): Expression {
  switch (expression.kind) {
    case 'literal':
      return new Literal({ value: expression.value });
    case 'name':
      return new Literal({ value: values.get(expression.name)! });
    case 'access':
      return access(expression);
    case 'operation': {
      const { operator } = expression;
      const operands = expression.operands.map((operand) => buildExpression(operand, access, values));
      if (operands.every((operand) => operand instanceof Literal)) {
        const [a, b] = operands.map((operand) => operand.value);
        return new Literal({ value: scalarFunction[operator](a!, b!) });
      }
      return new Operation({ operator, operands: List(operands) });
    }
  }
}
