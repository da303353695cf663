/** Where a program's matrices lie in a memory that computes: behind what else is there, one after another. */
import type { MemoryPart } from '../../arch/language/arch.ts';
import { bytes } from '../../arch/language/describe.ts';
import { InputError } from '../../arch/language/diagnostics.ts';
import { banksOf, type DramDevice } from '../../arch/language/dram/device.ts';
import { memoryDevice } from '../../arch/language/dram/memory.ts';
import type { LoadedMapping, SectionMapping } from '../../workloads/language/mapping.ts';
import type { LoadedWorkload, Workload } from '../../workloads/language/workload.ts';
import { Placement } from '../memory/dram/placement.ts';
import { dialectOf, PlacedProduct } from '../pim-product.ts';
import { type Product, type Program, sectionsOf } from './program.ts';
import type { Topology } from './topology.ts';

interface Placed {
  readonly product: Product;
  readonly placed: PlacedProduct;
  /** Rows of the banks after the last one that it takes, by channel: with those of a step's other repetitions. */
  readonly ends: readonly number[];
}

export class Matrices {
  readonly device: DramDevice;
  readonly channels: number;
  /** By operation. */
  readonly #placed = new Map<string, Placed>();
  readonly #path: string;
  /** Rows of the banks that what else is there takes, and those that it takes in all, by channel. */
  readonly #others: number;
  readonly #ends: readonly number[];
  readonly #vectorRows: number;

  constructor(path: string, part: MemoryPart, workload: Workload, program: Program, topology: Topology) {
    if (!part.dram) throw new Error(`${path} is no memory of DRAM`);
    this.#path = path;
    this.device = memoryDevice(part.dram);
    this.channels = part.dram.channels * part.count;
    const { bursts, burstBytes } = this.device;
    const rowBytes = banksOf(this.device) * bursts * burstBytes;
    const isOrdinary = topology.pads.some(({ path: pad }) => topology.routeOf(pad)?.memory === path);
    const { end } = new Placement(withoutMatrices(workload, program));
    this.#others = isOrdinary ? Math.ceil(end / (rowBytes * this.channels)) : 0;
    let ends: readonly number[] = Array.from({ length: this.channels }, () => this.#others);
    for (const { engines, tiles } of sectionsOf(program)) {
      for (const { name, product } of engines.flatMap(({ ops }) => ops)) {
        if (product?.memory !== path || this.#placed.has(name)) continue;
        const placed = new PlacedProduct(product, new Map(tiles), this.device, ends);
        const { instances = 1 } = workload.tensors.get(product.matrix) ?? {};
        ends = ends.map((start, channel) => start + instances * (placed.ends[channel]! - start));
        this.#placed.set(name, { product, placed, ends });
      }
    }
    this.#ends = ends;
    this.#vectorRows = Math.max(0, ...[...this.#placed.values()].map(({ placed }) => placed.vectorRows));
  }

  /** Whether a program multiplies here. */
  get areThere(): boolean {
    return this.#placed.size > 0;
  }

  /** The place of an operation's matrix. @throws Error when it has none */
  of(operation: string): PlacedProduct {
    const known = this.#placed.get(operation);
    if (!known) throw new Error(`${operation} has no matrix in ${this.#path}`);
    return known.placed;
  }

  /** What does not fit: the first operation whose matrix ends behind the last row, and the message; null when all fits. */
  get lack(): { readonly operation: string; readonly message: string } | null {
    const { rows, bursts, burstBytes } = this.device;
    const room = rows - this.#vectorRows - this.#others;
    const inBytes = (n: number): string => bytes(Math.max(0, n) * banksOf(this.device) * bursts * burstBytes);
    let before = this.#ends.map(() => this.#others);
    for (const [operation, { product, ends }] of this.#placed) {
      const excess = ends.map((end) => end - (rows - this.#vectorRows));
      const most = Math.max(...excess);
      if (most > 0) {
        const channel = excess.indexOf(most);
        const taken = before[channel]! - this.#others;
        const own = ends[channel]! - before[channel]!;
        const others = taken > 0 ? ` and ${inBytes(taken)} are taken by other matrices` : '';
        const message =
          `${product.matrix} does not fit ${this.#path}: in channel ${channel} it needs ${inBytes(own)}, ` +
          `of ${inBytes(room)} that are left beside other tensors and vectors${others}`;
        return { operation, message };
      }
      before = [...ends];
    }
    return null;
  }

  /** A sentence for each matrix whose channels, or banks, have unequal work, with the share of their time that is lost. */
  get losses(): string[] {
    const units = dialectOf(this.device)?.units ?? 1;
    return [...this.#placed.values()].flatMap(({ product: { matrix, memory }, placed: { work, places } }) => {
      const all = work.reduce((sum, rows) => sum + rows, 0);
      const idle = work.filter((rows) => rows === 0).length;
      const overChannels = 1 - all / (Math.max(...work) * work.length);
      const overBanks = 1 - all / places;
      const without = idle > 0 ? `, ${idle} have none` : '';
      return [
        overChannels > 0
          ? `${matrix} in ${memory}: its ${work.length} channels have unequal work${without}; ${percent(overChannels)} of their time is lost`
          : '',
        overBanks > 0
          ? `${matrix} in ${memory}: rows are no multiple of the ${units} that a channel multiplies at once; ${percent(overBanks)} of its units' time is lost`
          : '',
      ].filter((note) => note !== '');
    });
  }
}

/** @throws InputError when matrices do not fit the channels of a memory that computes */
export function checkRoom(
  program: Program,
  { workload }: LoadedWorkload,
  mapping: LoadedMapping | null,
  topology: Topology,
): void {
  for (const { path, part } of topology.memories) {
    const lack = part.dram && new Matrices(path, part, workload, program, topology).lack;
    if (!lack) continue;
    const places = (section: SectionMapping): boolean =>
      section.place.get(path)?.einsums.includes(lack.operation) ?? false;
    const index = mapping?.mapping.sections.findIndex(places) ?? -1;
    const place = index >= 0 ? mapping?.place(index, ['place', path]) : undefined;
    throw new InputError({ message: lack.message, place, hint: 'lay it over more channels, or make ranks smaller' });
  }
}

/** Names of the tensors that a program multiplies in memories. */
export function matricesOf(program: Program): Set<string> {
  const ops = sectionsOf(program).flatMap(({ engines }) => engines.flatMap((engine) => engine.ops));
  return new Set(ops.toArray().flatMap(({ product }) => (product ? [product.matrix] : [])));
}

/** A workload without those tensors, which lie apart from the others. */
export function withoutMatrices(workload: Workload, program: Program): Workload {
  const matrices = matricesOf(program);
  return workload.update('tensors', (tensors) => tensors.filterNot(({ name }) => matrices.has(name)));
}

function percent(share: number): string {
  return `${Number((100 * share).toPrecision(2))} %`;
}
