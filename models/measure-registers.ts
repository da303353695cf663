/** Register words that a run read and wrote. */
import { bitsOf } from '../arch/language/units.ts';
import { extentsOf } from '../workloads/language/shapes.ts';
import { accessesOf, type Einsum, type Workload } from '../workloads/language/workload.ts';
import { elementBytes } from './binding/plan.ts';
import type { OpRecord, RunRecord } from './machine.ts';

/** Words by tensor, all PEs or lanes together. */
export type RegisterWords = Map<string, { read: number; written: number }>;

/**
 * Every point reads its operands, and the partial result that it adds to, and writes what it makes; the first point of a
 * result has nothing to add to. An operand is written where it arrives, in each PE or lane that uses it, a partial result
 * that comes back from a scratchpad in one of them.
 */
export function registerWords(run: RunRecord, op: OpRecord, einsum: Einsum, workload: Workload): RegisterWords {
  const words: RegisterWords = new Map();
  const add = (tensor: string, read: number, written: number): void => {
    const known = words.get(tensor) ?? { read: 0, written: 0 };
    words.set(tensor, { read: known.read + read, written: known.written + written });
  };
  const { points } = op;
  for (const { tensor } of accessesOf(einsum.expression)) add(tensor, points, 0);
  for (const [tensor, arrived] of op.arrived) add(tensor, 0, arrived);
  const { tensor } = einsum.output;
  if (einsum.reduced.isEmpty()) {
    add(tensor, 0, points);
    return words;
  }
  const bytesBack = [...op.moved.values()].reduce((sum, moved) => sum + (moved.get(`${tensor} read`) ?? 0), 0);
  const back = bytesBack / elementBytes(workload, bitsOf)(tensor);
  add(tensor, points - results(run, op, einsum, workload), points + back);
  return words;
}

/** Values that an operation makes; those of a core's share are its own. */
function results({ sections }: RunRecord, op: OpRecord, einsum: Einsum, workload: Workload): number {
  const { section, repeat } = sections[op.section]!;
  const share = section.engines.find(({ engine }) => engine === op.engine.name)?.share;
  return [...extentsOf(workload, einsum)]
    .filter(([variable]) => !einsum.reduced.includes(variable))
    .reduce((product, [variable, extent]) => {
      return product * (share?.variable === variable ? share.to - share.from : extent);
    }, repeat);
}

/** Words of several operations together. */
export function summedWords(parts: readonly RegisterWords[]): RegisterWords {
  const sum: RegisterWords = new Map();
  for (const part of parts) {
    for (const [tensor, { read, written }] of part) {
      const known = sum.get(tensor) ?? { read: 0, written: 0 };
      sum.set(tensor, { read: known.read + read, written: known.written + written });
    }
  }
  return sum;
}
