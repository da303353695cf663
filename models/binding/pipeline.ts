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
 * and those that it leaves out after them.
 * @throws BindError when an einsum comes before what it reads, or engines would wait for each other.
 */
export function pipelined(
  ops: readonly NamedOp[],
  dependencies: readonly Dependency[],
  { pipeline, order }: Pick<Plan, 'pipeline' | 'order'>,
): Schedule {
  const stages = ops.map(({ name }) => pipeline.findIndex((names) => names.includes(name)));
  const rank = ops.map(({ name }) => (order.includes(name) ? order.indexOf(name) : order.length));
  const apart = ({ from, to, distance }: Dependency): number => stages[to]! + distance - stages[from]!;
  for (const dependency of dependencies) {
    if (apart(dependency) >= 0) continue;
    const { from, to } = dependency;
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
  const followers = ops.map((_, i) => dependencies.flatMap((d) => (d.from === i && apart(d) === 0 ? [d.to] : [])));
  for (const order of orders) for (let i = 1; i < order.length; i++) followers[order[i - 1]!]!.push(order[i]!);
  checkAcyclic(ops, followers);
  const loads = orders.map((order) => order.reduce((sum, i) => sum + ops[i]!.load, 0));
  return {
    stages,
    places: ops.map((_, i) => orders.find((order) => order.includes(i))!.indexOf(i)),
    depth: Math.max(...stages) + 1,
    interval: Math.max(1, ...loads),
  };
}

/** Within a round no operation may wait, in the end, for itself. */
function checkAcyclic(ops: readonly NamedOp[], followers: readonly (readonly number[])[]): void {
  const done = new Set<number>();
  const visit = (op: number, path: readonly number[]): void => {
    if (path.includes(op)) {
      const names = path.slice(path.indexOf(op)).map((i) => ops[i]!.name);
      const message = `in a round of this pipeline ${names.join(', ')} would wait for each other`;
      throw new BindError(message, 'pipeline', 'place them in the order of the cascade, or add a stage');
    }
    if (done.has(op)) return;
    for (const next of followers[op]!) visit(next, [...path, op]);
    done.add(op);
  };
  for (const op of ops.keys()) visit(op, []);
}
