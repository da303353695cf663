/** N:M structured sparsity: of every M consecutive elements along a rank of an input at most N are non-zero. */
import { type Diagnostic, suggest } from '../../arch/language/diagnostics.ts';
import { bitsOf } from '../../arch/language/units.ts';
import type { Extents } from './ranks.ts';
import { sizeOf } from './shapes.ts';
import type { SparseSyntax } from './syntax.ts';
import { type Dimension, partDimensions, plainVariable, rankOf, type Shaped } from './tensors.ts';
import { Sparsity, type Tensor } from './workload.ts';

/** Elements kept of a run of consecutive ones that begins with a block. */
export function keptAlong(extent: number, { kept, of }: Sparsity): number {
  return Math.floor(extent / of) * kept + Math.min(kept, extent % of);
}

/** Bits that say where in its block a kept element stands: ceil(log2 M), none when all are kept. */
export function metadataBits({ kept, of }: Sparsity): number {
  return kept === of ? 0 : Math.ceil(Math.log2(of));
}

/** Elements of a tensor that may be non-zero. */
export function keptElements(tensor: Tensor): number {
  const { sparsity, shape } = tensor;
  if (sparsity === null) return sizeOf(tensor);
  const extent = shape.get(sparsity.dimension)!;
  return (sizeOf(tensor) / extent) * keptAlong(extent, sparsity);
}

/** Whole bytes of what is kept of a tensor with its metadata; those of all its values when it is dense. */
export function compressedBytes(tensor: Tensor): number {
  const { dtype, sparsity } = tensor;
  const bits = bitsOf(dtype) + (sparsity === null ? 0 : metadataBits(sparsity));
  return Math.ceil((keptElements(tensor) * bits) / 8);
}

/** `2:4 along k` */
export function sparsityText({ kept, of, rank }: Sparsity): string {
  return `${kept}:${of} along ${rank}`;
}

/** What is wrong with the patterns of a cascade, `tensors` being all of it and `inputs` those that it is given. */
export function sparsityMistakes(
  sparse: readonly SparseSyntax[],
  tensors: ReadonlyMap<string, Shaped>,
  inputs: ReadonlySet<string>,
  extents: Extents,
): Diagnostic[] {
  const seen = new Map<string, SparseSyntax>();
  return sparse.flatMap((syntax) => {
    const tensor = tensors.get(syntax.tensor);
    const mistake =
      ratioMistake(syntax) ??
      (tensor && inputs.has(syntax.tensor)
        ? rankMistake(syntax, tensor, extents)
        : tensorMistake(syntax, tensor, inputs)) ??
      otherMistake(syntax, seen.get(syntax.tensor));
    seen.set(syntax.tensor, syntax);
    return mistake ?? [];
  });
}

function ratioMistake({ kept, of, ratioAt: place }: SparseSyntax): Diagnostic | null {
  if (kept === 0) return { message: 'nothing is kept of a block', place, hint: `write 1:${Math.max(1, of)}` };
  if (kept <= of) return null;
  const hint = of === 0 ? 'a block has at least one element' : `write ${of}:${kept}`;
  return { message: `${kept} elements cannot be kept of ${of}`, place, hint };
}

function tensorMistake(
  { tensor, at: place }: SparseSyntax,
  shaped: Shaped | undefined,
  inputs: ReadonlySet<string>,
): Diagnostic {
  const message = shaped ? `${tensor} is computed: its sparsity cannot be known` : `there is no input "${tensor}"`;
  return { message, place, hint: suggest(tensor, inputs) };
}

/** A graph may declare a tensor on the parts of a rank that is whole in the workload that says it is sparse. */
function rankMistake(
  { tensor, of, rank, rankAt: place, dimension }: SparseSyntax,
  { dimensions, text }: Shaped,
  extents: Extents,
): Diagnostic | null {
  const variable = dimension === null ? undefined : dimensions[dimension];
  const own = variable && plainVariable(variable.index);
  const isPart = own && own !== rank && extents.split.some((parts) => parts.includes(rankOf(own)));
  if (!own || isPart) {
    const variables = dimensions.flatMap(({ index }) => plainVariable(index) ?? []);
    return { message: `${tensor} has no rank ${rank}: it is ${text}`, place, hint: suggest(rank, variables) };
  }
  const inner = extents.split.get(rankOf(own))?.last();
  const extent = inner === undefined ? 0 : extents.ranks.get(inner)!;
  if (inner === undefined || extent === extents.ranks.get(rankOf(own)) || !(extent % of > 0)) return null;
  const message = `blocks of ${of} along ${own} do not divide its part ${inner} of ${extent}`;
  return { message, place, hint: `make ${inner} a multiple of ${of}` };
}

/** Workloads that share a tensor must say the same of it. */
function otherMistake(syntax: SparseSyntax, other: SparseSyntax | undefined): Diagnostic | null {
  const { tensor, kept, of, dimension, at: place } = syntax;
  if (!other || (other.kept === kept && other.of === of && other.dimension === dimension)) return null;
  return { message: `${tensor} is ${other.kept}:${other.of} along ${other.rank} already`, place };
}

/** The pattern of an input; `split` are dimensions of its declaration that the tensor has in parts. */
export function sparsityOf(
  { kept, of, dimension }: SparseSyntax,
  { dimensions }: Shaped,
  split: ReadonlySet<number>,
  extents: Extents,
): Sparsity {
  const made = (declared: Dimension, d: number): Dimension[] =>
    split.has(d) ? partDimensions(declared, extents) : [declared];
  const parts = dimensions.slice(0, dimension! + 1).flatMap(made);
  return new Sparsity({ kept, of, rank: plainVariable(parts.at(-1)!.index)!, dimension: parts.length - 1 });
}
