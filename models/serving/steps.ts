/** What operators are on an array or a vector unit: steps with what they read, how long they take and what they write. */
import type { ArrayPart, VectorPart } from '../../arch/language/arch.ts';
import { InputError } from '../../arch/language/diagnostics.ts';
import { costOf } from '../../arch/language/operations.ts';
import {
  type Attention,
  type Matmul,
  type Operations,
  pairs,
  softmaxOperations,
  type Vector,
} from '../../workloads/llm/operator.ts';
import { foldCycles } from '../compute/array.ts';
import type { Run } from './memory.ts';
import type { Step } from './streamed.ts';

/** Bytes that a step reads at least, where there is that much: small enough to begin early, large enough to be few. */
export const stepBytes = 2 ** 17;

/** How arrays that are several share a product: its folds, or the outputs that stream through each fold. */
export type Sharing = 'folds' | 'outputs';

/** Where the operands and the result of a product lie. */
export interface MatmulPlaces {
  readonly input: Run;
  readonly weights: Run;
  readonly output: Run;
}

/** The index-th of `parts` parts of a run, which are about equal: cut where all channels have the same of them. */
export function partOf({ base, width }: Run, index: number, parts: number, grain: number): Run {
  const cut = (at: number): number => Math.ceil((width * at) / parts / grain) * grain;
  return { base: base + cut(index), width: cut(index + 1) - cut(index) };
}

/**
 * A product in folds. An input-stationary array keeps a tile of the inputs, `rows` of them for `columns` tokens, and the
 * weights stream by; a weight-stationary one keeps a tile of the weights, and tokens stream by. Blocks of rows follow each
 * other for one stretch of columns, then the next stretch; what streams is read again for it unless `keeps`.
 */
export function matmulSteps(
  part: ArrayPart,
  { tokens, inputs, outputs }: Pick<Matmul, 'tokens' | 'inputs' | 'outputs'>,
  places: MatmulPlaces,
  { sharing, keeps, grain }: { readonly sharing: Sharing; readonly keeps: boolean; readonly grain: number },
): Step[] {
  const isWeights = part.dataflow !== 'input-stationary';
  const [kept, streamed] = isWeights ? [outputs, tokens] : [tokens, outputs];
  const [keptRun, streamedRun] = isWeights ? [places.weights, places.input] : [places.input, places.weights];
  const wide = part.columns * (sharing === 'folds' ? part.count : 1);
  const stretches = Math.ceil(kept / wide);
  const blocks = Math.ceil(inputs / part.rows);
  const stream = Math.ceil(streamed / (sharing === 'outputs' ? part.count : 1));
  const { period } = foldCycles(part, stream);
  const steps: Step[] = [];
  for (let stretch = 0; stretch < stretches; stretch++) {
    for (let block = 0; block < blocks; block++) {
      const tile = partOf(keptRun, stretch * blocks + block, stretches * blocks, grain);
      const moving = stretch === 0 || !keeps ? partOf(streamedRun, block, blocks, grain) : null;
      const isLast = block === blocks - 1;
      const written = isLast ? [partOf(places.output, stretch, stretches, grain)] : [];
      steps.push(...foldSteps(tile, moving, period, written, grain));
    }
  }
  return merged(steps);
}

/** A fold in parts: what streams comes while it is worked on. */
function foldSteps(tile: Run, moving: Run | null, cycles: number, writes: readonly Run[], grain: number): Step[] {
  const parts = Math.max(1, Math.floor((moving?.width ?? 0) / stepBytes));
  return Array.from({ length: parts }, (_, i) => ({
    reads: [...(i === 0 ? [tile] : []), ...(moving ? [partOf(moving, i, parts, grain)] : [])].filter(
      ({ width }) => width > 0,
    ),
    cycles: Math.floor((cycles * (i + 1)) / parts) - Math.floor((cycles * i) / parts),
    writes: i === parts - 1 ? writes : [],
  }));
}

/** The same with small steps put together, as long as what they read is less than a step should. */
function merged(steps: readonly Step[]): Step[] {
  const out: { reads: Run[]; cycles: number; writes: Run[]; bytes: number }[] = [];
  for (const { reads, cycles, writes } of steps) {
    const bytes = reads.reduce((sum, { width }) => sum + width, 0);
    const last = out.at(-1);
    if (last && last.bytes + bytes <= stepBytes && last.writes.length === 0) {
      for (const run of reads) addTo(last.reads, run);
      last.cycles += cycles;
      last.writes.push(...writes);
      last.bytes += bytes;
    } else out.push({ reads: [...reads], cycles, writes: [...writes], bytes });
  }
  return out;
}

function addTo(runs: Run[], run: Run): void {
  const last = runs.at(-1);
  if (last && last.base + last.width === run.base)
    runs[runs.length - 1] = { base: last.base, width: last.width + run.width };
  else runs.push(run);
}

/** @throws InputError when the unit cannot do it */
function cyclesPer({ operations }: VectorPart, operation: string): number {
  const cost = costOf(operations, operation);
  if (cost) return cost.cycles;
  const known = [...operations.keys()].join(', ');
  throw new InputError({ message: `the vector unit has no operation "${operation}"`, hint: `it has ${known}` });
}

/** Cycles of operations of one lane. */
function cyclesOf(part: VectorPart, operations: Operations): number {
  return Object.entries(operations).reduce((sum, [name, times]) => sum + times * cyclesPer(part, name), 0);
}

/** Elements in so many rows, and what is done with each of them and each row. */
export type VectorShape = Pick<Vector, 'elements' | 'rows' | 'operations' | 'reductions' | 'perRow'>;

/** Cycles of vector work of so many elements in so many rows, over all lanes of all copies. */
export function vectorCycles(
  part: VectorPart,
  {
    elements,
    rows,
    operations,
    reductions,
    perRow,
  }: Pick<Vector, 'elements' | 'rows' | 'operations' | 'reductions' | 'perRow'>,
): number {
  const lanes = part.lanes * part.count;
  const perElement = cyclesOf(part, operations) + reductions * cyclesPer(part, 'add');
  return Math.ceil(elements / lanes) * perElement + Math.ceil(rows / lanes) * cyclesOf(part, perRow);
}

/** A vector operator in steps of a part of its rows. */
export function vectorSteps(
  part: VectorPart,
  operator: Vector,
  reads: readonly Run[],
  write: Run,
  grain: number,
): Step[] {
  const { elements, rows } = operator;
  const parts = Math.max(1, Math.min(rows, Math.floor(reads.reduce((sum, { width }) => sum + width, 0) / stepBytes)));
  return Array.from({ length: parts }, (_, i) => {
    const share = (of: number) => Math.floor((of * (i + 1)) / parts) - Math.floor((of * i) / parts);
    return {
      reads: reads.map((run) => partOf(run, i, parts, grain)),
      cycles: vectorCycles(part, { ...operator, elements: share(elements), rows: share(rows) }),
      writes: [partOf(write, i, parts, grain)],
    };
  });
}

/** Cycles of the softmax of one head of a request on a vector unit. */
export function softmaxCycles(part: VectorPart, elements: number, rows: number): number {
  return vectorCycles(part, { ...softmaxOperations, elements, rows });
}

/** Cycles of the scores or the context of one head of keys of a request on an array. */
export function headCyclesOnArray(part: ArrayPart, operator: Attention, queries: number, context: number): number {
  const { headSize, group, kind } = operator;
  const [inputs, outputs] = kind === 'scores' ? [headSize, context] : [context, headSize];
  const tokens = queries * group;
  const isWeights = part.dataflow !== 'input-stationary';
  const [kept, streamed] = isWeights ? [outputs, tokens] : [tokens, outputs];
  const folds = Math.ceil(inputs / part.rows) * Math.ceil(kept / part.columns);
  return Math.ceil(folds / part.count) * foldCycles(part, streamed).period;
}

/** The same on a vector unit: a multiply-add for every pair and element. */
export function headCyclesOnVector(part: VectorPart, operator: Attention, queries: number, context: number): number {
  const points = operator.group * operator.headSize * pairs({ request: 0, queries, context });
  return Math.ceil(points / (part.lanes * part.count)) * cyclesPer(part, 'mac');
}
