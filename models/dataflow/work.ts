/** What an operator takes of PCUs and of the ports of PMUs. */
import { InputError } from '../../arch/language/diagnostics.ts';
import { costOf } from '../../arch/language/operations.ts';
import type { Pcu } from '../../arch/language/rdu.ts';
import type { FlowOperator, Product } from './graph.ts';

/** Of one tile. */
export interface TileWork {
  /** Cycles that one PCU takes; so many PCUs share them as there are. 0: it needs none. */
  readonly cycles: number;
  /** Cycles from the last operand to the result. */
  readonly depth: number;
  /** How so many PCUs come to their operands. */
  readonly operands: (pcus: number) => OperandReads;
}

/**
 * Of one tile: the first operand goes to `groups` of PCUs, to each a part of it, which all PCUs of the group need `first`
 * times. Of the second one each PCU has a part of its own, which it reads `second` times.
 */
export interface OperandReads {
  readonly groups: number;
  readonly first: number;
  readonly second: number;
}

const once = (pcus: number): OperandReads => ({ groups: pcus, first: 1, second: 1 });

/** @throws InputError when a PCU lacks an operation, or cannot multiply matrices */
export function tileWork(operator: FlowOperator, tiles: number, pcu: Pcu): TileWork {
  const firings = operator.streamed ? tiles : 1;
  switch (operator.kind) {
    case 'product':
      return productWork(operator, firings, pcu);
    case 'simd':
      return simdWork(operator, firings, pcu);
    case 'transpose':
    case 'exchange':
      return { cycles: 0, depth: 0, operands: once };
  }
}

/**
 * An output-stationary array of lanes x stages makes a block of so many results in k cycles; the next block follows it
 * without a gap. Columns of the second operand are on the lanes unless rows of the first one there make fewer blocks. PCUs
 * share columns; where there are more PCUs than columns of blocks, groups of them share the products of the batch, and k.
 */
function productWork({ name, product }: FlowOperator, firings: number, pcu: Pcu): TileWork {
  if (product === null) throw new Error(`${name} multiplies nothing`);
  const { batch, m, n, k } = perTile(product, firings);
  if (!pcu.operations.has('mac')) throw missing(name, 'mac');
  const { lanes, stages } = pcu.systolic ? pcu : { lanes: pcu.lanes * pcu.stages, stages: 1 };
  const rows = [Math.ceil(m / lanes), Math.ceil(n / stages)] as const;
  const columns = [Math.ceil(m / stages), Math.ceil(n / lanes)] as const;
  const [down, across] = rows[0] * rows[1] < columns[0] * columns[1] ? rows : columns;
  const operands = (pcus: number): OperandReads => ({
    groups: Math.max(1, Math.floor(pcus / across)),
    first: Math.max(1, across / pcus),
    second: down,
  });
  return { cycles: batch * down * across * k, depth: lanes + stages, operands };
}

/** Rows are cut into tiles; of products of which there is one for each row, or a few, the batch is. */
function perTile({ batch, m, n, k }: Product, firings: number): { batch: number; m: number; n: number; k: number } {
  if (m >= firings) return { batch, m: Math.ceil(m / firings), n, k };
  return { batch: Math.ceil((batch * m) / firings), m: 1, n, k };
}

/** Each stage does an operation of every lane in a cycle; an operation of several cycles takes as many stages. */
function simdWork({ name, elements, operations }: FlowOperator, firings: number, pcu: Pcu): TileWork {
  let slots = 0;
  for (const [operation, times] of operations) {
    const cost = costOf(pcu.operations, operation);
    if (cost === undefined) throw missing(name, operation);
    slots += times * cost.cycles;
  }
  const most = Math.max(elements, slots / pcu.stages) / firings;
  return { cycles: Math.ceil(most / pcu.lanes), depth: pcu.stages, operands: once };
}

function missing(name: string, operation: string): InputError {
  return new InputError({
    message: `${name} needs ${operation}, which no PCU can do`,
    hint: `add "${operation}: 1" to its operations`,
  });
}
