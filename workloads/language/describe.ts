/** Workloads and einsums as text. */
import { reducerName } from './operators.ts';
import { passes } from './passes.ts';
import { bytesOf, operationCounts, pointsOf, totalOperations } from './shapes.ts';
import { compressedBytes, sparsityText } from './sparsity.ts';
import { accessText } from './syntax.ts';
import {
  Access,
  accessesOf,
  type Einsum,
  type Expression,
  Index,
  Literal,
  type LoadedWorkload,
  type Operator,
  type Tensor,
  type Workload,
} from './workload.ts';

const infix: { readonly [operator in Operator]?: readonly [symbol: string, precedence: number] } = {
  add: ['+', 1],
  sub: ['-', 1],
  mul: ['*', 2],
  divide: ['/', 2],
};

/** An einsum as a line of a cascade, which the parser reads back to the same value. */
export function einsumText({ output, expression, reduced, reducer, iterative, initial }: Einsum): string {
  const named = reducer !== 'add' && !reduced.isEmpty();
  const reduction = named ? `${reducerName(reducer)}(${reduced.join(', ')}) ` : '';
  const line = `${accessText(output)} = ${reduction}${expressionText(expression, 0)}`;
  if (iterative === null) return line;
  const first = output.update('indices', (all) =>
    all.map((index) => (index.terms.has(iterative) ? new Index() : index)),
  );
  return `${line}  from ${accessText(first)} = ${numberText(initial!)}`;
}

/** `least` is the precedence of the operator around it: what binds less goes into parentheses. */
function expressionText(expression: Expression, least: number): string {
  if (expression instanceof Access) return accessText(expression);
  if (expression instanceof Literal) return numberText(expression.value);
  const { operator, operands } = expression;
  if (operator === 'neg') return `-${expressionText(operands.get(0)!, 3)}`;
  const found = infix[operator];
  if (!found) return `${operator}(${operands.map((operand) => expressionText(operand, 0)).join(', ')})`;
  const [symbol, precedence] = found;
  const text = `${expressionText(operands.get(0)!, precedence)} ${symbol} ${expressionText(operands.get(1)!, precedence + 1)}`;
  return precedence < least ? `(${text})` : text;
}

function numberText(value: number): string {
  return String(value).replace('Infinity', 'inf');
}

/**
 * The report of `clockwright show`: ranks, tensors, operations and operational intensity of each einsum, who reads whom,
 * and the passes over each rank. An einsum's operational intensity counts every tensor that it touches once.
 */
export function describeWorkload({ workload }: LoadedWorkload): string {
  const { name, about, source } = workload;
  const head = [about ? `${name}   ${about}` : name, ...(source ? [`source: ${source}`] : [])];
  const sections: readonly (readonly string[])[] = [
    head,
    ['ranks', ...rankLines(workload)],
    ['tensors', ...tensorLines(workload)],
    ...workload.steps.map((step) => [
      `${workload.steps.size > 1 || step.repeat > 1 ? `step ${step.name}` : 'einsums'}${step.repeat > 1 ? `, ${step.repeat} times` : ''}`,
      ...einsumLines(workload, step.einsums.toArray()),
    ]),
    ['passes', ...passLines(workload)],
    ['in all', ...totalLines(workload)],
  ];
  return `${sections
    .map(([title, ...lines]) => [title, ...lines.map((line) => `  ${line}`.trimEnd())].join('\n'))
    .join('\n\n')}\n`;
}

function rankLines(workload: Workload): string[] {
  const { ranks, split } = workload;
  const named = (rank: string): string => `${rank} ${whole(ranks.get(rank)!)}`;
  return [
    unsplitRanks(workload)
      .map((rank) => (split.has(rank) ? `${named(rank)} = ${split.get(rank)!.map(named).join(' x ')}` : named(rank)))
      .join('   '),
  ];
}

/** All ranks that are not parts of another one. */
function unsplitRanks({ ranks, split }: Workload): string[] {
  return [...ranks.keys()].filter((rank) => !split.some((parts) => parts.includes(rank)));
}

function tensorLines({ tensors }: Workload): string[] {
  const rows = tensors
    .valueSeq()
    .toArray()
    .map((tensor) => [
      tensor.name,
      tensor.role,
      tensor.shape.join(' x ') || '1',
      tensor.dtype,
      bytes(bytesOf(tensor)),
      notes(tensor).join(', '),
    ]);
  return table(rows, [4]);
}

/** What is said of a tensor beside its declaration. */
function notes(tensor: Tensor): string[] {
  const { sparsity, padded, instances } = tensor;
  return [
    ...(sparsity ? [`${sparsityText(sparsity)}: ${bytes(compressedBytes(tensor))} compressed`] : []),
    ...(padded ? ['padded with zeros'] : []),
    ...(instances > 1 ? [`${instances} of them`] : []),
  ];
}

function einsumLines(workload: Workload, einsums: readonly Einsum[]): string[] {
  const rows = einsums.map((einsum) => {
    const counts = operationCounts(workload, einsum);
    const read = [...new Set(accessesOf(einsum.expression).map(({ tensor }) => tensor))];
    const touched = new Set([...read, einsum.output.tensor]);
    const moved = [...touched].reduce((total, tensor) => total + bytesOf(workload.tensors.get(tensor)!), 0);
    return [
      einsum.name,
      whole(pointsOf(workload, einsum)),
      operations(counts) || 'none',
      `${intensity(sum(counts.values()), moved)} ops/B`,
      read.length > 0 ? `from ${read.join(', ')}` : '',
    ];
  });
  return table([['', 'points', 'operations', 'intensity', ''], ...rows], [1, 3]);
}

function passLines(workload: Workload): string[] {
  const found = unsplitRanks(workload).map((rank) => ({ rank, ...passes(workload, rank) }));
  const once = found.filter(({ count }) => count === 1).map(({ rank }) => rank);
  const more = found.filter(({ count }) => count > 1);
  return [
    ...(once.length > 0 ? [`1 over ${once.join(', ')}`] : []),
    ...more.flatMap(({ rank, count, reasons }) => [`${count} over ${rank}`, ...reasons.map((reason) => `  ${reason}`)]),
  ];
}

function totalLines(workload: Workload): string[] {
  const counts = totalOperations(workload);
  const ends = workload.tensors.valueSeq().filter(({ role }) => role !== 'intermediate');
  const moved = ends.reduce((total, tensor) => total + bytesOf(tensor) * tensor.instances, 0);
  return [
    operations(counts),
    `${bytes(moved)} of inputs and outputs: ${intensity(sum(counts.values()), moved)} operations per byte at best`,
  ];
}

/** Columns padded to their widest cell; those in `right` are set right. */
export function table(rows: readonly (readonly string[])[], right: readonly number[]): string[] {
  const widths = rows[0]?.map((_, c) => Math.max(...rows.map((row) => row[c]!.length))) ?? [];
  return rows.map((row) =>
    row.map((cell, c) => (right.includes(c) ? cell.padStart(widths[c]!) : cell.padEnd(widths[c]!))).join('  '),
  );
}

function operations(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([operator, count]) => `${operator} ${whole(count)}`).join(', ');
}

function sum(values: Iterable<number>): number {
  return [...values].reduce((total, value) => total + value, 0);
}

export function whole(value: number): string {
  return value.toLocaleString('en-US');
}

export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const unit = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, value)) / 10));
  return `${significant(value / 1024 ** unit)} ${units[unit]}`;
}

function intensity(count: number, moved: number): string {
  return significant(moved === 0 ? 0 : count / moved);
}

export function significant(value: number): string {
  return value >= 1000 ? whole(Math.round(value)) : String(Number(value.toPrecision(3)));
}
