/** What those that pass over rounds of a loop nest share: where the nest was, and places for a run's state. */

/** Where in the nest a run is. */
export interface Progress {
  /** Iteration of every loop, outer to inner. */
  readonly digits: Int32Array;
  /** Iterations of the nest to come. */
  readonly remaining: number;
}

/** Where the outer `depth` loops of a nest were last seen. */
export class NestWatch {
  readonly #progress: Progress;
  readonly digits: Int32Array;
  remaining: number;

  constructor(progress: Progress, depth: number) {
    this.#progress = progress;
    this.digits = progress.digits.slice(0, depth);
    this.remaining = progress.remaining;
  }

  get hasMoved(): boolean {
    return this.#progress.remaining !== this.remaining;
  }

  /** The outermost loop that has moved on; the number of loops when none has. */
  outermostChange(): number {
    const { digits } = this.#progress;
    for (let loop = 0; loop < this.digits.length; loop++) if (digits[loop] !== this.digits[loop]) return loop;
    return this.digits.length;
  }

  /** Where the nest is now; loops outside `first` have not moved on. */
  remember(first = 0): void {
    const { digits, remaining } = this.#progress;
    this.remaining = remaining;
    for (let loop = first; loop < this.digits.length; loop++) this.digits[loop] = digits[loop]!;
  }
}

/** Where each part has its numbers in one record of all, and how many those are. */
export function placesOf(parts: readonly { readonly size: number }[]): {
  readonly offsets: readonly number[];
  readonly size: number;
} {
  let size = 0;
  const offsets = parts.map((part) => {
    size += part.size;
    return size - part.size;
  });
  return { offsets, size };
}
