/** In which order einsums can be evaluated: one after another, but recurrences iterate by iterate. */
import { accessesOf, type Einsum, type Index } from './workload.ts';

/** Einsums that run together for one iterate of `variable` after another, or one einsum without a recurrence. */
export interface Group {
  /** In the order of the cascade. */
  readonly einsums: readonly Einsum[];
  /** The iterative rank variable; null when no einsum of the group needs what itself or a later one makes. */
  readonly variable: string | null;
}

/** A recurrence that no order of iterates can evaluate. */
export class RecurrenceMistake extends Error {
  /** Name of the einsum to blame. */
  readonly einsum: string;
  readonly hint: string;

  constructor(einsum: string, message: string, hint: string) {
    super(message);
    this.name = 'RecurrenceMistake';
    this.einsum = einsum;
    this.hint = hint;
  }
}

/**
 * The einsums in groups, each after those that it needs: strongly connected components of the graph of who reads whom
 * (Tarjan, SIAM J. Comput. 1972).
 * @throws RecurrenceMistake
 */
export function groupsOf(einsums: readonly Einsum[]): Group[] {
  const producers = new Map(einsums.map((einsum, i) => [einsum.output.tensor, i]));
  const reads = einsums.map((einsum) =>
    accessesOf(einsum.expression).flatMap(({ tensor }) => producers.get(tensor) ?? []),
  );
  return components(reads).map((members) => {
    const group = members.sort((a, b) => a - b).map((i) => einsums[i]!);
    const cyclic = members.length > 1 || reads[members[0]!]!.includes(members[0]!);
    return { einsums: group, variable: cyclic ? iterated(group) : null };
  });
}

/** Strongly connected components, those that others lead to first. `edges[i]` is where i leads. */
function components(edges: readonly (readonly number[])[]): number[][] {
  const order = new Map<number, number>();
  const low: number[] = [];
  const stack: number[] = [];
  const found: number[][] = [];
  const visit = (i: number): void => {
    order.set(i, order.size);
    low[i] = order.get(i)!;
    stack.push(i);
    for (const j of edges[i]!) {
      if (!order.has(j)) {
        visit(j);
        low[i] = Math.min(low[i]!, low[j]!);
      } else if (stack.includes(j)) {
        low[i] = Math.min(low[i]!, order.get(j)!);
      }
    }
    if (low[i] === order.get(i)) found.push(stack.splice(stack.indexOf(i)));
  };
  edges.forEach((_, i) => {
    if (!order.has(i)) visit(i);
  });
  return found;
}

/** The variable that a recurrence iterates over, of which every member makes one iterate at a time. */
function iterated(group: readonly Einsum[]): string {
  const variable = group.find((einsum) => einsum.iterative !== null)!.iterative!;
  const outputs = new Map<string, { readonly at: number; readonly made: Index }>();
  for (const { name, output, iterative } of group) {
    const at = output.indices.findIndex((index) => index.terms.has(variable));
    if (at < 0 || (iterative !== null && iterative !== variable)) {
      const message = `${name} is part of a recurrence over ${variable}, but has no iterate of its own for each ${variable}`;
      throw new RecurrenceMistake(name, message, `index it by ${variable}, or leave it out of the recurrence`);
    }
    outputs.set(output.tensor, { at, made: output.indices.get(at)! });
  }
  for (const { name, expression } of group) {
    for (const { tensor, indices } of accessesOf(expression)) {
      const made = outputs.get(tensor);
      const index = made && indices.get(made.at)!;
      if (!index || (index.terms.equals(made.made.terms) && index.constant <= made.made.constant)) continue;
      const message = `${name} reads iterates of ${tensor} that are not known while ${variable} iterates`;
      throw new RecurrenceMistake(name, message, `read ${tensor} at ${variable}`);
    }
  }
  return variable;
}
