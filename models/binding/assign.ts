/** Which engine runs an einsum, and which of its ranks run over the engine's rows, columns or lanes, if nobody says so. */
import type { ArrayPart } from '../../arch/language/arch.ts';
import { operatorsPerPoint } from '../../workloads/language/shapes.ts';
import { accessesOf, type Einsum, variablesOf } from '../../workloads/language/workload.ts';
import { missingOperators, noEngine } from './gaps.ts';
import type { Assignment } from './plan.ts';
import type { EngineSite, Topology } from './topology.ts';

/**
 * Contractions go to an array, everything else to a vector unit; to another engine where that one lacks an operation.
 * @throws BindError when no engine has all the operations.
 */
export function defaultEngine(einsum: Einsum, topology: Topology): EngineSite {
  const able = topology.engines.filter((engine) => missingOperators(einsum, engine).length === 0);
  const kind = isContraction(einsum) ? 'array' : 'vector';
  const engine = able.find((e) => e.part.kind === kind) ?? able[0];
  if (!engine) throw noEngine(einsum, topology.engines);
  return engine;
}

/** A sum of products of two tensors, neither of which has all the ranks of the other. */
export function isContraction(einsum: Einsum): boolean {
  if (einsum.reduced.isEmpty() || !operatorsPerPoint(einsum).has('mac')) return false;
  const [a, b] = operandVariables(einsum);
  return a !== undefined && b !== undefined;
}

/** Ranks over the sides of an array: of a contraction by its dataflow, else the last two of the output. */
export function defaultAssignment(einsum: Einsum, engine: EngineSite): Assignment {
  if (engine.part.kind === 'vector') return { engine, rows: [], columns: [], lanes: null };
  const output = einsum.output.indices.toArray().flatMap((index) => [...index.terms.keys()]);
  if (!isContraction(einsum)) return { engine, rows: output.slice(-2, -1), columns: output.slice(-1), lanes: null };
  const [a = [], b = []] = operandVariables(einsum);
  const reduced = einsum.reduced.toArray();
  // Ranks of both operands and the output are a batch: they run one after another.
  const ofA = output.filter((v) => a.includes(v) && !b.includes(v));
  const ofB = output.filter((v) => b.includes(v) && !a.includes(v));
  const sides = {
    'output-stationary': [ofA, ofB],
    'weight-stationary': [reduced, ofB],
    'input-stationary': [reduced, ofA],
  } as const;
  const [rows, columns] = sides[engine.part.dataflow];
  return { engine, rows, columns, lanes: null };
}

/** Rank variables of what stays in the PEs during a fold: of one operand of a contraction, or of its result. */
export function stationaryVariables(einsum: Einsum, { dataflow }: ArrayPart): readonly string[] {
  if (!isContraction(einsum)) return [];
  const [inputs, weights] = operandVariables(einsum);
  const output = einsum.output.indices.toArray().flatMap((index) => [...index.terms.keys()]);
  const stationary = {
    'output-stationary': output,
    'weight-stationary': weights!,
    'input-stationary': inputs!,
  };
  return stationary[dataflow];
}

function operandVariables(einsum: Einsum): string[][] {
  const known = new Set(variablesOf(einsum));
  return accessesOf(einsum.expression).map((access) =>
    access.indices.toArray().flatMap((index) => [...index.terms.keys()].filter((v) => known.has(v))),
  );
}
