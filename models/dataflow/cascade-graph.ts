/** A cascade of einsums as a dataflow graph: a block for each of its steps. */
import { List, Map, OrderedMap } from 'immutable';
import { InputError } from '../../arch/language/diagnostics.ts';
import { bytesOf, extentsOf, operationCounts, pointsOf } from '../../workloads/language/shapes.ts';
import {
  Access,
  accessesOf,
  type Einsum,
  type LoadedWorkload,
  Operation,
  type Step,
  variablesOf,
  type Workload,
} from '../../workloads/language/workload.ts';
import { Block, DataflowGraph, FlowOperator, FlowTensor, type Home, Operand, Product } from './graph.ts';

/**
 * Tiles run along the rank `stream`; along the one that most tensors have, of those the longest, when it is empty.
 * @throws InputError on an einsum that needs its own result, or a rank that there is not
 */
export function cascadeGraph({ workload, places }: LoadedWorkload, stream = ''): DataflowGraph {
  const blocks = workload.steps.map((step) => new StepBuilder(workload, step, stream, places).block());
  return new DataflowGraph({ name: workload.name, blocks });
}

class StepBuilder {
  readonly #workload: Workload;
  readonly #step: Step;
  /** Variable of the rank that tiles run along; null when no tensor has a rank. */
  readonly #stream: string | null;
  readonly #places: LoadedWorkload['places'];

  constructor(workload: Workload, step: Step, stream: string, places: LoadedWorkload['places']) {
    this.#workload = workload;
    this.#step = step;
    this.#places = places;
    this.#stream = this.#chosen(stream);
  }

  block(): Block {
    const { name, repeat, einsums } = this.#step;
    const tensors = new globalThis.Map<string, FlowTensor>();
    const operators = einsums.map((einsum) => this.#operator(einsum, tensors));
    const first = einsums.find((einsum) => this.#stream !== null && variablesOf(einsum).includes(this.#stream));
    const rows = first && this.#stream !== null ? (extentsOf(this.#workload, first).get(this.#stream) ?? 1) : 1;
    return new Block({ name, repeat, rows, operators, tensors: OrderedMap(tensors) });
  }

  #chosen(stream: string): string | null {
    const counts = new globalThis.Map<string, { tensors: number; extent: number }>();
    for (const einsum of this.#step.einsums) {
      const extents = extentsOf(this.#workload, einsum);
      for (const access of [einsum.output, ...accessesOf(einsum.expression)]) {
        for (const variable of plainVariables(access)) {
          const known = counts.get(variable)?.tensors ?? 0;
          counts.set(variable, { tensors: known + 1, extent: extents.get(variable) ?? 1 });
        }
      }
    }
    if (stream !== '') {
      const variable = stream.toLowerCase();
      if (counts.has(variable)) return variable;
      const ranks = [...counts.keys()].map((name) => name.toUpperCase()).join(', ');
      throw new InputError({ message: `${this.#step.name} has no rank ${stream} to stream`, hint: `one of ${ranks}` });
    }
    const best = [...counts].sort(([, a], [, b]) => b.tensors - a.tensors || b.extent - a.extent)[0];
    return best?.[0] ?? null;
  }

  #operator(einsum: Einsum, tensors: globalThis.Map<string, FlowTensor>): FlowOperator {
    if (einsum.iterative !== null) {
      const place = this.#places.get(einsum.name);
      const hint = 'use a cascade without a rank that is iterated';
      throw new InputError({
        message: `${einsum.name} needs its own result, which a dataflow graph cannot`,
        place,
        hint,
      });
    }
    const streamed = this.#stream !== null && variablesOf(einsum).includes(this.#stream);
    const accesses = inOrder(accessesOf(einsum.expression), (access) => this.#isStreamed(access));
    for (const access of [...accesses, einsum.output]) this.#note(access, tensors);
    const counts = operationCounts(this.#workload, einsum);
    const operators = [...counts.values()].reduce((sum, count) => sum + count, 0);
    const product = this.#product(einsum, accesses);
    const common = {
      name: einsum.name,
      streamed,
      operands: List([...new Set(accesses.map(({ tensor }) => tensor))].map((tensor) => new Operand({ tensor }))),
      results: List([einsum.output.tensor]),
    };
    const points = pointsOf(this.#workload, einsum);
    if (product) return new FlowOperator({ ...common, kind: 'product', product, flops: 2 * points });
    if (operators === 0) return new FlowOperator({ ...common, kind: 'transpose' });
    return new FlowOperator({ ...common, kind: 'simd', elements: points, operations: Map(counts), flops: operators });
  }

  /** Whether a tensor comes tile by tile: the streamed rank is one of its dimensions as it is. */
  #isStreamed(access: Access): boolean {
    return this.#stream !== null && plainVariables(access).includes(this.#stream);
  }

  #note(access: Access, tensors: globalThis.Map<string, FlowTensor>): void {
    const tensor = this.#workload.tensors.get(access.tensor);
    if (tensor === undefined) throw new Error(`there is no tensor ${access.tensor}`);
    const known = tensors.get(tensor.name);
    const streamed = this.#isStreamed(access) && (known?.streamed ?? true);
    tensors.set(
      tensor.name,
      new FlowTensor({ name: tensor.name, bytes: bytesOf(tensor), home: this.#home(tensor.name), streamed }),
    );
  }

  #home(name: string): Home {
    const role = this.#workload.tensors.get(name)?.role;
    const isMade = this.#step.einsums.some(({ output }) => output.tensor === name);
    if (!isMade) return 'input';
    const isUsedLater = this.#workload.steps.some(
      (step) =>
        step !== this.#step &&
        step.einsums.some(({ expression }) => accessesOf(expression).some(({ tensor }) => tensor === name)),
    );
    return role === 'output' || isUsedLater ? 'output' : 'intermediate';
  }

  /** A sum of products of two tensors; null when the einsum is something else. */
  #product(einsum: Einsum, accesses: readonly Access[]): Product | null {
    const { expression, reducer, reduced } = einsum;
    const isProduct =
      expression instanceof Operation && expression.operator === 'mul' && reducer === 'add' && reduced.size > 0;
    if (!isProduct || !expression.operands.every((one) => one instanceof Access)) return null;
    const [first, second] = accesses;
    if (first === undefined || second === undefined) return null;
    const extents = extentsOf(this.#workload, einsum);
    const sizes = { batch: 1, m: 1, n: 1, k: 1 };
    for (const variable of variablesOf(einsum)) {
      const [ofFirst, ofSecond] = [has(first, variable), has(second, variable)];
      const side = reduced.includes(variable) ? 'k' : ofFirst && ofSecond ? 'batch' : ofSecond ? 'n' : 'm';
      sizes[side] *= extents.get(variable) ?? 1;
    }
    return new Product(sizes);
  }
}

function has({ indices }: Access, variable: string): boolean {
  return indices.some(({ terms }) => terms.has(variable));
}

/** Variables that are a dimension of a tensor by themselves. */
function plainVariables({ indices }: Access): string[] {
  return indices.toArray().flatMap(({ terms, constant, final }) => {
    const [only] = terms.keys();
    return terms.size === 1 && constant === 0 && final === null && only !== undefined && terms.get(only) === 1
      ? [only]
      : [];
  });
}

/** What is streamed first: the other operand of a product is the one that stays beside the PCUs. */
function inOrder(accesses: readonly Access[], isStreamed: (access: Access) => boolean): Access[] {
  return [...accesses].sort((a, b) => Number(isStreamed(b)) - Number(isStreamed(a)));
}
