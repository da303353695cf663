/** Where tensors lie in a memory: one after another, in the order of the workload, each row-major. */
import { bitsOf } from '../../../arch/language/units.ts';
import { offsetOf, type Region } from '../../../workloads/language/region.ts';
import { bytesOf } from '../../../workloads/language/shapes.ts';
import type { Workload } from '../../../workloads/language/workload.ts';
import { bytesIn, merged, oneRun, type Runs } from './stream.ts';

/** Every tensor begins at a multiple of so many bytes, as in pages of an operating system. */
const alignment = 4096;

interface Place {
  readonly base: number;
  readonly shape: readonly number[];
  /** Of an element; may be a fraction. */
  readonly bytes: number;
}

export class Placement {
  readonly #places = new Map<string, Place>();
  #end = 0;

  constructor(workload: Workload) {
    for (const tensor of workload.tensors.valueSeq()) {
      const bytes = bitsOf(tensor.dtype) / 8;
      this.#places.set(tensor.name, { base: this.#end, shape: tensor.shape.toArray(), bytes });
      this.#end += Math.ceil(bytesOf(tensor) / alignment) * alignment;
    }
  }

  /** Bytes up to the end of the last tensor. */
  get end(): number {
    return this.#end;
  }

  /**
   * Runs of bytes that `bytes` of a tensor's regions are: the regions' own where they have as many. Where a program moves
   * another number of bytes, because values are packed or padded or regions share some, they lie side by side from the
   * first element on. `tensor` may be what is kept beside the values of another one, which lies behind all tensors.
   */
  runs(tensor: string, regions: readonly Region[], bytes: number, beside = false): Runs[] {
    const place = this.#places.get(tensor);
    if (!place) throw new Error(`${tensor} has no place in memory`);
    const list = regions.flatMap((region) => runsOf(region, place));
    const base = beside ? this.#end + place.base : place.base;
    const own = list.reduce((sum, runs) => sum + bytesIn(runs), 0);
    if (!beside && Math.ceil(own) === bytes) return joined(list);
    return [oneRun(base + Math.floor((list[0]?.base ?? place.base) - place.base), bytes)];
  }
}

function runsOf(region: Region, { base, shape, bytes }: Place): Runs[] {
  if (region.some(([from, to]) => from >= to)) return [];
  const strides = shape.map((_, d) => shape.slice(d + 1).reduce((product, extent) => product * extent, bytes));
  const first = offsetOf(
    region.map(([from]) => from),
    shape,
  );
  const counts = region.map(([from, to]) => to - from);
  return [merged({ base: base + first * bytes, counts, strides, width: bytes })];
}

/** The same with single runs that touch made one. */
function joined(list: readonly Runs[]): Runs[] {
  const all: Runs[] = [];
  for (const runs of list) {
    const last = all.at(-1);
    const touches = last?.counts.length === 0 && runs.counts.length === 0 && last.base + last.width === runs.base;
    if (last && touches) all[all.length - 1] = oneRun(last.base, last.width + runs.width);
    else all.push(runs);
  }
  return all;
}
