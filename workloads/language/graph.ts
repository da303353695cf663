/** Puts the workloads that a graph uses in its place, with their ranks and tensors renamed: one cascade of steps. */
import { dirname } from 'node:path';
import { type Diagnostic, InputError, suggest } from '../../arch/language/diagnostics.ts';
import { libraryFile } from '../../arch/language/library.ts';
import { Source } from '../../arch/language/source.ts';
import { type Declaration, type Renaming, readDeclaration, type UseStepSyntax } from './declaration.ts';
import {
  type AccessSyntax,
  accessText,
  type CascadeStepSyntax,
  type EinsumSyntax,
  type ExpressionSyntax,
  type ExtentSyntax,
  type SparseSyntax,
  type SplitSyntax,
  type TensorSyntax,
} from './syntax.ts';
import { plainVariable } from './tensors.ts';

/** A workload whose steps are all cascades; `inputs` and `weights` include its steps' own weights. */
export type FlatDeclaration = Declaration<CascadeStepSyntax>;

/**
 * A file with all that it uses. The files have one namespace of ranks: a rank that the using file declares holds for the
 * used one, and one that it does not declare is taken over from there. A tensor that is neither input nor output of the
 * used workload, or a weight that the step has under no other name, gets the step's name in front.
 * @throws InputError with all mistakes when too little of a file makes sense to go on; others are added to `mistakes`.
 */
export function readFlat(source: Source, mistakes: Diagnostic[], using: readonly string[] = []): FlatDeclaration {
  const whole = readDeclaration(source, mistakes);
  const extents = new Map(whole.extents);
  const splits = new Map(whole.splits);
  const broken = new Set(whole.broken);
  const inputs = [...whole.inputs];
  const weights = new Set(whole.weights);
  const padded = [...whole.padded];
  const sparse: SparseSyntax[] = [];
  const present = new Set(whole.inputs.map(({ access }) => access.tensor));
  const inline = (step: Declaration['steps'][number]): CascadeStepSyntax[] => {
    if (!('use' in step)) return [step];
    const used = readUsed(step, source.file, mistakes, [...using, source.file]);
    if (!used) {
      // What the step would have made is not missed twice.
      for (const { to } of step.tensors.values()) broken.add(to);
      for (const { access } of whole.outputs) broken.add(access.tensor);
      return [];
    }
    const renamed = rename(used, step, extents, splits, mistakes);
    for (const { access } of used.inputs) {
      if (isOwn(access.tensor, used, step)) continue;
      const name = step.tensors.get(access.tensor)?.to ?? access.tensor;
      if (present.has(name) || broken.has(name)) continue;
      const message = `${used.name} needs ${accessText(access)}, but there is no ${name} before step "${step.name}"`;
      const place = step.tensors.get(access.tensor)?.at ?? step.at;
      mistakes.push({ message, place, hint: suggest(name, present) });
      broken.add(name);
    }
    for (const [name, extent] of renamed.extents) if (!extents.has(name)) extents.set(name, extent);
    for (const [name, split] of renamed.splits) if (!splits.has(name)) splits.set(name, split);
    for (const tensor of renamed.broken) broken.add(tensor);
    for (const weight of renamed.inputs) weights.add(weight.access.tensor);
    inputs.push(...renamed.inputs);
    padded.push(...renamed.padded);
    sparse.push(...renamed.sparse);
    return repeated(renamed.steps, step, mistakes);
  };
  const steps: CascadeStepSyntax[] = [];
  for (const step of whole.steps) {
    const made = inline(step);
    steps.push(...made);
    for (const { output } of made.flatMap(({ einsums }) => einsums)) present.add(output.tensor);
  }
  sparse.push(...whole.sparse.map((syntax) => ({ ...syntax, dimension: dimensionIn(inputs, syntax) })));
  return { ...whole, extents, splits, inputs, weights, padded, sparse, broken, steps };
}

/** Whether a weight of a used workload is the step's own: one that the step gives no name has the step's in front. */
function isOwn(tensor: string, { weights }: FlatDeclaration, step: UseStepSyntax): boolean {
  return weights.has(tensor) && !step.tensors.has(tensor);
}

/** Found before a using workload renames ranks, so that one tensor is the same whatever its ranks are called there. */
function dimensionIn(inputs: readonly TensorSyntax[], { tensor, rank }: SparseSyntax): number | null {
  const input = inputs.find(({ access }) => access.tensor === tensor);
  return input ? input.access.indices.findIndex((index) => plainVariable(index) === rank) : null;
}

function readUsed(
  step: UseStepSyntax,
  from: string,
  mistakes: Diagnostic[],
  using: readonly string[],
): FlatDeclaration | null {
  const found = libraryFile('workloads', step.use.replace(/\.yaml$/, ''), dirname(from));
  if ('hint' in found) {
    mistakes.push({ message: `there is no workload "${step.use}"`, place: step.at, hint: found.hint });
    return null;
  }
  if (using.includes(found.file)) {
    const hint = [...using.slice(using.indexOf(found.file)), found.file].join(' uses ');
    mistakes.push({ message: `"${step.use}" uses itself`, place: step.at, hint });
    return null;
  }
  try {
    return readFlat(Source.read(found.file), mistakes, using);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    mistakes.push(...error.diagnostics.filter((diagnostic) => !mistakes.includes(diagnostic)));
    return null;
  }
}

/** The steps of a used workload as steps of the using one. */
function repeated(
  steps: readonly CascadeStepSyntax[],
  { name, repeat, at }: UseStepSyntax,
  mistakes: Diagnostic[],
): CascadeStepSyntax[] {
  if (steps.length === 1) return [{ ...steps[0]!, name, repeat: repeat * steps[0]!.repeat }];
  if (repeat === 1) return steps.map((step) => ({ ...step, name: `${name}.${step.name}` }));
  const inner = steps.find((step) => step.repeat > 1);
  if (inner) {
    const message = `step "${name}" is repeated, and so is its step "${inner.name}"`;
    mistakes.push({ message, place: at, hint: 'repeat only one of them' });
  }
  return [{ name, repeat, einsums: steps.flatMap((step) => step.einsums) }];
}

function rename(
  used: FlatDeclaration,
  step: UseStepSyntax,
  extents: ReadonlyMap<string, ExtentSyntax>,
  splits: ReadonlyMap<string, SplitSyntax>,
  mistakes: Diagnostic[],
): Pick<FlatDeclaration, 'extents' | 'splits' | 'inputs' | 'padded' | 'sparse' | 'broken' | 'steps'> {
  const own = new Set([
    ...used.extents.keys(),
    ...[...used.splits.values()].flatMap((s) => s.parts.map((p) => p.name)),
  ]);
  const here = new Set([...extents.keys(), ...[...splits.values()].flatMap((s) => s.parts.map((p) => p.name))]);
  checkKeys(step.ranks, own, `rank of ${used.name}`, mistakes);
  for (const { to, at } of step.ranks.values()) {
    if (!here.has(to)) mistakes.push({ message: `there is no rank "${to}"`, place: at, hint: suggest(to, here) });
  }
  const ranks = new Map([...step.ranks].map(([name, { to }]) => [name, to]));
  for (const [rank, { parts }] of used.splits) {
    const local = splits.get(ranks.get(rank) ?? rank);
    if (!local) continue;
    if (local.parts.length !== parts.length) {
      const message = `${used.name} splits ${rank} into ${parts.length} parts, but here it has ${local.parts.length}`;
      mistakes.push({ message, place: step.at });
    }
    // The parts of a rank that both split correspond by position.
    parts.forEach((part, i) => {
      if (!ranks.has(part.name)) ranks.set(part.name, local.parts[i]?.name ?? part.name);
    });
  }
  checkDistinct(own, ranks, step, mistakes);
  const shared = new Set([...used.inputs, ...used.outputs].map(({ access }) => access.tensor));
  checkKeys(step.tensors, shared, `input or output of ${used.name}`, mistakes);
  const joins = (name: string): boolean => shared.has(name) && !isOwn(name, used, step);
  const names: Names = {
    rank: (name) => ranks.get(name) ?? name,
    tensor: (name) => step.tensors.get(name)?.to ?? (joins(name) ? name : `${step.name}.${name}`),
    // A bare name is a rank or parameter when there is one, else a scalar tensor.
    bare: (name) => (own.has(name) ? names.rank(name) : names.tensor(name)),
  };
  return {
    extents: new Map(
      [...used.extents].map(([name, extent]) => [
        names.rank(name),
        { ...extent, value: renameExpression(extent.value, names) },
      ]),
    ),
    splits: new Map([...used.splits].map(([rank, split]) => [names.rank(rank), renameSplit(split, names)])),
    inputs: used.inputs
      .filter(({ access }) => isOwn(access.tensor, used, step))
      .map((input) => ({ ...input, access: renameAccess(input.access, names) })),
    padded: used.padded.map((named) => ({ ...named, tensor: names.tensor(named.tensor) })),
    sparse: used.sparse.map((named) => ({
      ...named,
      tensor: names.tensor(named.tensor),
      rank: renameVariable(named.rank, names),
    })),
    broken: new Set([...used.broken].map(names.tensor)),
    steps: used.steps.map((s) => ({ ...s, einsums: s.einsums.map((einsum) => renameEinsum(einsum, names)) })),
  };
}

function checkKeys(
  renamings: ReadonlyMap<string, Renaming>,
  known: ReadonlySet<string>,
  what: string,
  mistakes: Diagnostic[],
): void {
  for (const [name, { key }] of renamings) {
    if (!known.has(name)) mistakes.push({ message: `"${name}" is no ${what}`, place: key, hint: suggest(name, known) });
  }
}

function checkDistinct(
  own: ReadonlySet<string>,
  ranks: ReadonlyMap<string, string>,
  { name, at }: UseStepSyntax,
  mistakes: Diagnostic[],
): void {
  const taken = new Map<string, string>();
  for (const rank of own) {
    const to = ranks.get(rank) ?? rank;
    const other = taken.get(to);
    if (other !== undefined) {
      const message = `${other} and ${rank} of step "${name}" would both be called ${to}`;
      mistakes.push({
        message,
        place: at,
        hint: 'ranks of equal extent keep their own names: ranks: { P: 512, M: P }',
      });
    }
    taken.set(to, rank);
  }
}

interface Names {
  readonly rank: (name: string) => string;
  readonly tensor: (name: string) => string;
  readonly bare: (name: string) => string;
}

const renameVariable = (variable: string, { rank }: Names): string => rank(variable.toUpperCase()).toLowerCase();

function renameSplit(split: SplitSyntax, names: Names): SplitSyntax {
  const parts = split.parts.map((part) => ({
    ...part,
    name: names.rank(part.name),
    size: part.size && renameExpression(part.size, names),
  }));
  return { ...split, parts };
}

function renameAccess(access: AccessSyntax, names: Names): AccessSyntax {
  const indices = access.indices.map((index) => ({
    ...index,
    terms: new Map([...index.terms].map(([variable, factor]) => [renameVariable(variable, names), factor])),
    factors: index.factors.map((factor) => ({
      ...factor,
      name: names.bare(factor.name),
      variable: renameVariable(factor.variable, names),
    })),
    final: index.final && names.rank(index.final),
  }));
  return { ...access, tensor: names.tensor(access.tensor), indices };
}

function renameExpression(expression: ExpressionSyntax, names: Names): ExpressionSyntax {
  switch (expression.kind) {
    case 'literal':
      return expression;
    case 'name':
      return { ...expression, name: names.bare(expression.name) };
    case 'access':
      return renameAccess(expression, names);
    case 'operation':
      return { ...expression, operands: expression.operands.map((operand) => renameExpression(operand, names)) };
  }
}

function renameEinsum({ output, reduction, expression, from }: EinsumSyntax, names: Names): EinsumSyntax {
  return {
    output: renameAccess(output, names),
    reduction: reduction && {
      ...reduction,
      variables: reduction.variables.map((v) => ({ ...v, name: renameVariable(v.name, names) })),
    },
    expression: renameExpression(expression, names),
    from: from && { ...from, access: renameAccess(from.access, names) },
  };
}
