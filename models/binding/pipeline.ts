/** Software pipelines that a mapping spells out: which einsums of neighbouring tiles overlap. */
import { BindError } from './dependencies.ts';
import type { Plan } from './plan.ts';
import type { Dependency, Schedule, ScheduledOp } from './schedule.ts';

/** An operation by the name of its einsum. */
export interface NamedOp extends ScheduledOp {
  readonly name: string;
}

/**
 * The schedule in which stage k works k tiles behind the first. In a round an engine takes einsums in the plan's order,
 * and those that it leaves out after them. Null when there are too few tiles for it, so that an iteration would begin
 * before the one that it follows has ended.
 * @throws BindError when an einsum comes before what it reads, or engines would wait for each other.
 */
export function pipelined(
  ops: readonly NamedOp[],
  dependencies: readonly Dependency[],
  { pipeline, order }: Pick<Plan, 'pipeline' | 'order'>,
): Schedule | null {
  const stages = ops.map(({ name }) => pipeline.findIndex((names) => names.includes(name)));
  const rank = ops.map(({ name }) => (order.includes(name) ? order.indexOf(name) : order.length));
  const apart = ({ from, to, distance }: Dependency): number => stages[to]! + distance - stages[from]!;
  for (const dependency of dependencies) {
    const { from, to, distance } = dependency;
    if (stages[to]! >= stages[from]! || distance > 0) continue;
    const message = `${ops[to]!.name} is in an earlier stage than ${ops[from]!.name}, which it reads`;
    throw new BindError(message, 'pipeline', `put ${ops[to]!.name} into stage ${stages[from]! + 1} or a later one`);
  }
  const engines = [...new Set(ops.map(({ engine }) => engine))];
  const orders = engines.map((engine) =>
    ops
      .map((_, i) => i)
      .filter((i) => ops[i]!.engine === engine)
      .sort((a, b) => rank[a]! - rank[b]!),
  );
  const followers = ops.map((_, i) =>
    dependencies.filter((d) => d.from === i && d.distance === 0 && apart(d) === 0).map((d) => d.to),
  );
  for (const order of orders) for (let i = 1; i < order.length; i++) followers[order[i - 1]!]!.push(order[i]!);
  const cycle = cycleIn(followers);
  if (cycle) {
    const message = `in a round of this pipeline ${cycle.map((i) => ops[i]!.name).join(', ')} would wait for each other`;
    throw new BindError(message, 'pipeline', 'place them in the order of the cascade, or add a stage');
  }
  for (const d of dependencies) if (d.distance > 0 && apart(d) === 0) followers[d.from]!.push(d.to);
  if (dependencies.some((d) => apart(d) < 0) || cycleIn(followers)) return null;
  const loads = orders.map((order) => order.reduce((sum, i) => sum + ops[i]!.load, 0));
  return {
    stages,
    places: ops.map((_, i) => orders.find((order) => order.includes(i))!.indexOf(i)),
    depth: Math.max(...stages) + 1,
    interval: Math.max(1, ...loads),
  };
}

/** Operations that would wait, in the end, for themselves; null when there are none. */
function cycleIn(followers: readonly (readonly number[])[]): readonly number[] | null {
  const done = new Set<number>();
  const visit = (op: number, path: readonly number[]): readonly number[] | null => {
    if (path.includes(op)) return path.slice(path.indexOf(op));
    if (done.has(op)) return null;
    for (const next of followers[op]!) {
      const cycle = visit(next, [...path, op]);
      if (cycle) return cycle;
    }
    done.add(op);
    return null;
  };
  for (const op of followers.keys()) {
    const cycle = visit(op, []);
    if (cycle) return cycle;
  }
  return null;
}
