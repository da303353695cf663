/** Einsums that a mapping places in a memory that computes: which operand lies there as matrices, and how. */
import { Map as ImmutableMap, List, type OrderedMap } from 'immutable';
import { suggest } from '../../arch/language/diagnostics.ts';
import type { DramDevice } from '../../arch/language/dram/device.ts';
import { memoryDevice } from '../../arch/language/dram/memory.ts';
import { bitsOf } from '../../arch/language/units.ts';
import type { LayoutLevel, Placement } from '../../workloads/language/mapping.ts';
import { extentsOf, sizeOf } from '../../workloads/language/shapes.ts';
import { type Access, accessesOf, type Einsum, einsumsOf, type Workload } from '../../workloads/language/workload.ts';
import { columnsInPart, type Dialect, dialectOf, partsOf } from '../pim-product.ts';
import { type Contraction, contractionOf, type Operand } from './contraction.ts';
import { partVariable } from './partial-sums.ts';
import { Product } from './program.ts';
import type { PimSite } from './topology.ts';

/** Told of a mistake at a path within a placement. */
type Report = (path: readonly (string | number)[], message: string, hint?: string, atKey?: boolean) => void;

type Layout = OrderedMap<string, List<LayoutLevel>>;

/** The products that a placement in a memory makes of its einsums, by name; those with mistakes are reported, and left out. */
export function productsIn(
  site: PimSite,
  placement: Placement,
  einsums: readonly Einsum[],
  workload: Workload,
  report: Report,
): Map<string, Product> {
  return new Products(site, workload, placement, report).of(einsums);
}

class Products {
  readonly #site: PimSite;
  readonly #workload: Workload;
  readonly #placement: Placement;
  readonly #report: Report;
  readonly #device: DramDevice;
  readonly #channels: number;

  constructor(site: PimSite, workload: Workload, placement: Placement, report: Report) {
    const { dram, count } = site.part;
    if (!dram) throw new Error(`${site.path} is no memory of DRAM`);
    this.#site = site;
    this.#workload = workload;
    this.#placement = placement;
    this.#report = report;
    this.#device = memoryDevice(dram);
    this.#channels = dram.channels * count;
  }

  of(einsums: readonly Einsum[]): Map<string, Product> {
    const products = new Map<string, Product>();
    const dialect = this.#dialect();
    if (dialect === null) return products;
    const used = new Set<string>();
    const operands = new Set<string>();
    this.#placement.einsums.forEach((name, i) => {
      const einsum = einsums.find((one) => one.name === name);
      const product = einsum && this.#product(einsum, dialect, used, ['einsums', i]);
      if (product) products.set(name, product);
      // What is wrong with these was told.
      if (einsum && !product) for (const { tensor } of accessesOf(einsum.expression)) operands.add(tensor);
    });
    const { layout } = this.#placement;
    for (const tensor of layout.keys()) {
      if (used.has(tensor) || operands.has(tensor)) continue;
      const names = this.#placement.einsums.join(', ');
      this.#report(['layout', tensor], `${tensor} is no matrix of ${names}`, suggest(tensor, [...used]), true);
    }
    return products;
  }

  #dialect(): Dialect | null {
    const dialect = dialectOf(this.#device);
    try {
      if (dialect !== null) {
        partsOf(this.#device, dialect, { rows: 1, columns: 1, packed: false });
        return dialect;
      }
    } catch (error) {
      const why = error instanceof Error ? error.message : '';
      this.#report([], `${this.#site.path} cannot multiply matrices by itself: ${why}`, 'place it on an engine', true);
      return null;
    }
    const commands = this.#device.commands.filter(({ pim }) => pim).map(({ name }) => name);
    const message = `${this.#site.path} has no command that multiplies: of ${this.#device.standard}, ${commands.join(', ')} compute`;
    this.#report([], message, 'place it on an engine', true);
    return null;
  }

  #product(einsum: Einsum, dialect: Dialect, used: Set<string>, at: (string | number)[]): Product | null {
    const contraction = contractionOf(einsum, this.#workload, extentsOf(this.#workload, einsum));
    const { path } = this.#site;
    if (contraction === null || ![contraction.inputs, contraction.weights].every(({ access }) => isPlain(access))) {
      const message = `${einsum.name} is no product of a matrix and vectors, which is all that ${path} computes`;
      this.#report(at, message, 'place it on another engine');
      return null;
    }
    const matrix = this.#matrixOf(contraction, at);
    if (matrix === null || !this.#isAble(einsum, contraction, matrix, at)) return null;
    used.add(matrix.tensor);
    const isInputs = matrix === contraction.inputs;
    const { m, n, k, batch } = contraction;
    const ranks = {
      batch: List(batch.variables),
      rows: List((isInputs ? m : n).variables),
      columns: List(k.variables),
      vectors: List((isInputs ? n : m).variables),
    };
    const layout = this.#layoutOf(matrix.tensor, ranks, contraction, dialect);
    if (layout === null) return null;
    const { extents } = contraction;
    const sizeOfAll = (variables: List<string>): number => variables.reduce((all, v) => all * extents.get(v)!, 1);
    const spread = sizeOfAll(ranks.rows.filter((v) => layout.over.includes(v)));
    const rows = sizeOfAll(ranks.rows);
    const inChannel = Math.max(1, Math.ceil(rows / Math.min(spread, this.#channels)));
    const shape = { rows: inChannel, columns: k.size, packed: layout.packed };
    const parts = partsOf(this.#device, dialect, shape);
    const part = parts > 1 ? partVariable(einsum.name) : '';
    const inPart = columnsInPart(dialect);
    const vector = (isInputs ? contraction.weights : contraction.inputs).tensor;
    return new Product({ memory: path, matrix: matrix.tensor, vector, ...ranks, ...layout, parts, part, inPart });
  }

  /** The operand that lies in the memory: the one that the layout names, else the larger one of those that can. */
  #matrixOf({ einsum, inputs, weights }: Contraction, at: (string | number)[]): Operand | null {
    const operands = [weights, inputs];
    const named = operands.filter(({ tensor }) => this.#placement.layout.has(tensor));
    if (named.length === 2) {
      const names = operands.map(({ tensor }) => tensor).join(' and ');
      const message = `${names} are both operands of ${einsum.name}, and one of them must come as vectors`;
      this.#report(['layout', named[0]!.tensor], message, 'take one of them out', true);
      return null;
    }
    const tensor = ({ tensor: name }: Operand) => this.#workload.tensors.get(name)!;
    const inputsOnly = operands.filter((operand) => tensor(operand).role === 'input');
    const bySize = inputsOnly.toSorted((a, b) => sizeOf(tensor(b)) - sizeOf(tensor(a)));
    const matrix = named[0] ?? bySize[0];
    if (matrix) return matrix;
    const names = operands.map(({ tensor: name }) => name).join(' and ');
    const message = `${einsum.name} has no matrix in ${this.#site.path}: ${names} are made in the run`;
    this.#report(at, message, 'place it on another engine');
    return null;
  }

  #isAble(einsum: Einsum, { inputs, weights }: Contraction, matrix: Operand, at: (string | number)[]): boolean {
    const { path } = this.#site;
    const { tensors } = this.#workload;
    const type = this.#device.units?.type ?? 'fp16';
    const wide = [inputs, weights].find(({ tensor }) => bitsOf(tensors.get(tensor)!.dtype) !== bitsOf(type));
    const { tensor } = matrix;
    const others = einsumsOf(this.#workload).filter(
      (other) => other.name !== einsum.name && accessesOf(other.expression).some((access) => access.tensor === tensor),
    );
    const why = wide
      ? `${path} multiplies ${type}, and ${wide.tensor} of ${einsum.name} is ${tensors.get(wide.tensor)!.dtype}`
      : tensors.get(tensor)!.role !== 'input'
        ? `${tensor} of ${einsum.name} is made in the run: a matrix lies in ${path} before it`
        : matrix.sparsity
          ? `${tensor} of ${einsum.name} is sparse, and ${path} multiplies all numbers of a matrix`
          : others.length > 0
            ? `${tensor} lies in ${path} for ${einsum.name} alone, and ${readers(others)} it, too`
            : null;
    if (why !== null) this.#report(at, why, 'place it on another engine');
    return why === null;
  }

  /** What runs over the channels, and whether matrices share rows. */
  #layoutOf(
    tensor: string,
    ranks: Pick<Product, 'batch' | 'rows' | 'columns' | 'vectors'>,
    { extents, k }: Contraction,
    { fillsFromRow, inRow, lanes }: Dialect,
  ): Pick<Product, 'over' | 'packed'> | null {
    const layout: Layout | undefined = this.#placement.layout.get(tensor);
    const inARow = Math.floor(inRow / (Math.ceil(k.size / lanes) * lanes));
    if (layout === undefined || layout.isEmpty()) {
      const several = ranks.batch.some((v) => extents.get(v)! > 1);
      return { over: several ? ranks.batch : ranks.rows, packed: several && fillsFromRow && inARow > 1 };
    }
    let isRight = true;
    const wrong = (rank: string, message: string, hint?: string, atKey = false): void => {
      this.#report(['layout', tensor, rank], message, hint, atKey);
      isRight = false;
    };
    for (const [rank, levels] of layout) {
      const all = levels.join(', ');
      const known = [...ranks.batch, ...ranks.rows, ...ranks.columns];
      if (!known.includes(rank)) wrong(rank, `${tensor} has no rank "${rank}"`, suggest(rank, known), true);
      else if (ranks.columns.includes(rank) && all !== 'column')
        wrong(rank, `${rank} is summed, and units of ${this.#site.path} add up along columns`, 'write "column"');
      else if (ranks.rows.includes(rank) && !['channel', 'bank', 'channel, bank'].includes(all))
        wrong(
          rank,
          `${rank} is of the result: each of its values has a unit, at banks`,
          'write "bank" or "[channel, bank]"',
        );
      else if (ranks.batch.includes(rank) && all !== 'channel' && all !== 'column')
        wrong(
          rank,
          `every ${rank} has a matrix of its own, in a channel`,
          'write "channel" or "column", or leave it out',
        );
      else if (ranks.batch.includes(rank) && all === 'column' && !fillsFromRow)
        wrong(rank, `matrices of ${this.#site.path} begin rows of their own`, `leave ${rank} out`);
      else if (ranks.batch.includes(rank) && all === 'column' && inARow < 2)
        wrong(rank, `a row of ${inRow} numbers has no room for two of ${k.size}`, `leave ${rank} out`);
    }
    if (!isRight) return null;
    const over = layout.filter((levels) => levels.includes('channel'));
    const packed = layout.some((levels, rank) => ranks.batch.includes(rank) && levels.includes('column'));
    return { over: List(over.keys()), packed };
  }
}

/** `B reads`, `B, C read`. */
function readers(einsums: readonly Einsum[]): string {
  return `${einsums.map(({ name }) => name).join(', ')} ${einsums.length === 1 ? 'reads' : 'read'}`;
}

/** Whether each dimension is one rank, from its beginning on. */
function isPlain({ indices }: Access): boolean {
  return indices.every(
    ({ terms, constant }) => constant === 0 && terms.equals(ImmutableMap([[terms.keySeq().first() ?? '', 1]])),
  );
}
