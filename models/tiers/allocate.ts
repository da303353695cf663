/** Tensors that live for a while, laid into one address space: those that never live at the same time may share addresses. */

/** Needed from the first section to the last, both included; sections are numbered in the order of time. */
export interface Lifetime {
  readonly name: string;
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

export interface Allocation {
  /** Address of each tensor, in the order given. */
  readonly offsets: readonly number[];
  /** The end of the highest one. */
  readonly bytes: number;
  /** Most bytes that live at a time: no allocation has fewer. */
  readonly least: number;
}

/** As many tensors get an allocation of fewest bytes; there are 40,320 orders of 8. */
const fewTensors = 8;

/**
 * Addresses for tensors, of which no two that live at a time overlap. First fit in a few orders; where that needs more than
 * `least`, few tensors are tried in all orders (branch and bound).
 */
export function allocate(tensors: readonly Lifetime[]): Allocation {
  const least = Math.max(0, ...liveBytes(tensors));
  const orders = [
    (a: Lifetime, b: Lifetime) => b.bytes - a.bytes,
    (a: Lifetime, b: Lifetime) => b.last - b.first - (a.last - a.first) || b.bytes - a.bytes,
    (a: Lifetime, b: Lifetime) => a.first - b.first || b.bytes - a.bytes,
  ];
  const indices = tensors.map((_, index) => index);
  const tried = orders.map((order) =>
    firstFit(
      tensors,
      indices.toSorted((a, b) => order(tensors[a]!, tensors[b]!)),
    ),
  );
  const best = tried.reduce((a, b) => (b.bytes < a.bytes ? b : a));
  const isOpen = best.bytes > least && tensors.length <= fewTensors;
  return { ...(isOpen ? new Search(tensors, best, least).run() : best), least };
}

/** Bytes that live in each section, from section 0 to the last one that any tensor is needed in. */
export function liveBytes(tensors: readonly Lifetime[], sections = sectionsOf(tensors)): number[] {
  const live = new Array<number>(sections).fill(0);
  for (const { bytes, first, last } of tensors) {
    for (let section = first; section <= last; section++) live[section]! += bytes;
  }
  return live;
}

const sectionsOf = (tensors: readonly Lifetime[]): number => Math.max(0, ...tensors.map(({ last }) => last + 1));

const together = (a: Lifetime, b: Lifetime): boolean => a.first <= b.last && b.first <= a.last;

type Layout = Pick<Allocation, 'offsets' | 'bytes'>;

/** Each in turn goes to the lowest address that is free for as long as it lives. */
function firstFit(tensors: readonly Lifetime[], order: readonly number[]): Layout {
  const offsets = new Array<number>(tensors.length).fill(0);
  const placed: number[] = [];
  let bytes = 0;
  for (const index of order) {
    offsets[index] = lowest(tensors, offsets, placed, index);
    bytes = Math.max(bytes, offsets[index] + tensors[index]!.bytes);
    placed.push(index);
  }
  return { offsets, bytes };
}

/** The lowest address at which a tensor meets none of those placed. */
function lowest(
  tensors: readonly Lifetime[],
  offsets: readonly number[],
  placed: readonly number[],
  index: number,
): number {
  const tensor = tensors[index]!;
  const rivals = placed.filter((other) => together(tensors[other]!, tensor)).sort((a, b) => offsets[a]! - offsets[b]!);
  let at = 0;
  for (const other of rivals) {
    if (offsets[other]! >= at + tensor.bytes) break;
    at = Math.max(at, offsets[other]! + tensors[other]!.bytes);
  }
  return at;
}

/**
 * Pushed down as far as it goes, an allocation is what first fit makes of its tensors in the order of their addresses. So the
 * orders to try are those whose addresses never fall.
 */
class Search {
  readonly #tensors: readonly Lifetime[];
  readonly #least: number;
  readonly #offsets: number[];
  readonly #placed: number[] = [];
  readonly #isPlaced: boolean[];
  #best: Layout;

  constructor(tensors: readonly Lifetime[], best: Layout, least: number) {
    this.#tensors = tensors;
    this.#best = best;
    this.#least = least;
    this.#offsets = tensors.map(() => 0);
    this.#isPlaced = tensors.map(() => false);
  }

  run(): Layout {
    this.#extend(0, 0);
    return this.#best;
  }

  /** `floor`: address of the latest one; `top`: end of the highest. */
  #extend(floor: number, top: number): void {
    if (this.#placed.length === this.#tensors.length) {
      this.#best = { offsets: [...this.#offsets], bytes: top };
      return;
    }
    this.#tensors.forEach((tensor, index) => {
      if (this.#isPlaced[index] || this.#best.bytes === this.#least) return;
      const at = lowest(this.#tensors, this.#offsets, this.#placed, index);
      const end = Math.max(top, at + tensor.bytes);
      if (at < floor || end >= this.#best.bytes) return;
      this.#offsets[index] = at;
      this.#isPlaced[index] = true;
      this.#placed.push(index);
      this.#extend(at, end);
      this.#placed.pop();
      this.#isPlaced[index] = false;
    });
  }
}
