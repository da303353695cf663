/** Operation costs as written (`mac: 1`, `exp: 6 mac`) to cycles, depths and actions. */
import { Map } from 'immutable';
import { OperationCost } from './arch.ts';
import { type Diagnostic, suggest } from './diagnostics.ts';
import type { WrittenCost } from './schema.ts';
import type { Path, Places } from './source.ts';

/** Costs by operation. */
export type WrittenCosts = { readonly [operation: string]: WrittenCost | undefined };

/**
 * A multiple of another operation takes that many times its cycles, its depth (the steps of one result depend on each
 * other) and its action. `depth` is that of operations that name none; never less than their cycles.
 */
export function resolveCosts(
  written: WrittenCosts,
  depth: number,
  places: Places,
  at: Path,
): { operations: Map<string, OperationCost>; mistakes: Diagnostic[] } {
  const mistakes: Diagnostic[] = [];
  const resolve = (name: string, users: readonly string[]): OperationCost | undefined => {
    const cost = written[name];
    if (cost === undefined) return undefined;
    if ('cycles' in cost) {
      const own = cost.depth ?? Math.max(depth, cost.cycles);
      return new OperationCost({ cycles: cost.cycles, depth: own, action: name, actions: 1 });
    }
    if (users.includes(name)) return undefined;
    const base = resolve(cost.of, [...users, name]);
    return base?.merge({
      cycles: cost.times * base.cycles,
      depth: cost.times * base.depth,
      actions: cost.times * base.actions,
    });
  };

  const operations = Map<string, OperationCost>().withMutations((all) => {
    for (const [name, cost] of Object.entries(written)) {
      if (cost === undefined) continue;
      const place = places.placeOf([...at, name]);
      const resolved = resolve(name, []);
      if (resolved) all.set(name, resolved);
      else if ('of' in cost && written[cost.of] === undefined) {
        const others = Object.keys(written).filter((other) => other !== name);
        const message = `"${name}" is counted in "${cost.of}", which is no operation here`;
        mistakes.push({ message, place, hint: suggest(cost.of, others) });
      } else {
        const hint = 'give one of them its cycles';
        mistakes.push({ message: `"${name}" is counted in operations that lead back to it or to none`, place, hint });
      }
      if ('cycles' in cost && cost.depth !== undefined && cost.depth < cost.cycles) {
        const message = `"${name}" has a depth of ${cost.depth}, less than its ${cost.cycles} cycles`;
        mistakes.push({ message, place, hint: `write at least ${cost.cycles}` });
      }
    }
  });
  return { operations, mistakes };
}
