/** How long the work takes that a command begins. */
import type { DramEstimate } from '../../../arch/language/dram/device.ts';
import { evaluate } from '../../../arch/language/dram/expression.ts';

const most = 64;

/** Values of an estimate, each worked out once. */
export class Estimate {
  readonly #expression: DramEstimate;
  /** By multiplications and results: ticks by opens x 64 + closes; NaN where not known yet. */
  readonly #tables = new Map<number, Float64Array>();

  constructor(expression: DramEstimate) {
    this.#expression = expression;
  }

  /** Ticks, for so many banks whose rows are in the way, activations, multiplications and results. */
  ticks(closes: number, opens: number, multiplications: number, results: number): number {
    const key = multiplications * most + results;
    let table = this.#tables.get(key);
    if (!table) {
      table = new Float64Array(most * most).fill(Number.NaN);
      this.#tables.set(key, table);
    }
    const place = Math.min(opens, most - 1) * most + Math.min(closes, most - 1);
    const known = table[place]!;
    if (!Number.isNaN(known)) return known;
    const values: { [name: string]: number } = { closes, opens, multiplications, results };
    table[place] = evaluate(this.#expression, { clockPs: 1, valueOf: (name) => values[name] ?? 0 });
    return table[place]!;
  }
}
