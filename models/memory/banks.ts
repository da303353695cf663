/** Bank conflicts of a scratchpad: what the edge of an array waits for when the words of a step lie badly. */
import type { ScratchpadPart } from '../../arch/language/arch.ts';

/** A tile lies in lines of `line` elements, line i in bank i mod `banks`. */
export interface Banks {
  readonly banks: number;
  /** Lines that a bank serves per cycle. */
  readonly ports: number;
  /** Elements of one line, at least 1. */
  readonly line: number;
}

/** The banks of a scratchpad for elements of so many bits. An element wider than a line counts as one line. */
export function banksOf(part: Pick<ScratchpadPart, 'banks' | 'ports' | 'width'>, bits: number): Banks {
  return { banks: part.banks, ports: part.ports, line: Math.max(1, Math.floor((part.width * 8) / bits)) };
}

/** Where element `word` of step `step` lies in the tile's own address space (elements), -1 for none. */
export type Placement = (step: number, word: number) => number;

/**
 * Cycles to serve all steps, one after another, each of which wants its words at once. All words of a line come with
 * one access, so a step takes the maximum over banks of ceil(lines / ports) (the layout model of SCALE-Sim v3, Raj et
 * al., ISPASS 2025). A step that wants nothing takes one cycle, as the array steps on all the same.
 */
export function conflictCycles(banks: Banks, steps: number, words: number, placement: Placement): number {
  const access = new Access(banks, words);
  let cycles = 0;
  for (let step = 0; step < steps; step++) cycles += access.cycles(step, placement);
  return cycles;
}

/**
 * `conflictCycles` of a tile whose element (step, word) lies at step x stepStride + word x wordStride, strides of at
 * least 0. Takes time for at most `line` steps, however many there are:
 *
 *   after line / gcd(stepStride, line) steps every address has grown by the same whole number of lines. So the same
 *   words share lines, and every line has moved on by the same number of banks, which changes no maximum over banks.
 */
export function affineConflictCycles(
  banks: Banks,
  steps: number,
  words: number,
  stepStride: number,
  wordStride: number,
): number {
  const period = banks.line / greatestCommonDivisor(stepStride, banks.line);
  const placement: Placement = (step, word) => step * stepStride + word * wordStride;
  const rounds = Math.floor(steps / period);
  const ofRounds = rounds > 0 ? rounds * conflictCycles(banks, period, words, placement) : 0;
  return ofRounds + conflictCycles(banks, steps % period, words, placement);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** Counts the lines that a step wants of each bank. Entries of another step's stamp are free, so nothing is cleared. */
class Access {
  readonly #banks: Banks;
  readonly #words: number;
  /** An open-addressing table of the step's lines, at most half full. */
  readonly #lines: Float64Array;
  readonly #lineStamps: Uint32Array;
  readonly #shift: number;
  /** By bank. */
  readonly #counts: Uint32Array;
  readonly #countStamps: Uint32Array;
  #stamp = 0;

  constructor(banks: Banks, words: number) {
    const bits = 1 + Math.ceil(Math.log2(Math.max(1, words)));
    const size = 2 ** bits;
    this.#banks = banks;
    this.#words = words;
    this.#lines = new Float64Array(size);
    this.#lineStamps = new Uint32Array(size);
    this.#shift = 32 - bits;
    this.#counts = new Uint32Array(banks.banks);
    this.#countStamps = new Uint32Array(banks.banks);
  }

  cycles(step: number, placement: Placement): number {
    const { banks, ports, line: lineElements } = this.#banks;
    this.#stamp++;
    let most = 1;
    let previous = -1;
    for (let word = 0; word < this.#words; word++) {
      const address = placement(step, word);
      const line = Math.floor(address / lineElements);
      if (address < 0 || line === previous) continue;
      previous = line;
      if (this.#isNew(line)) most = Math.max(most, this.#count(line % banks));
    }
    return Math.ceil(most / ports);
  }

  #isNew(line: number): boolean {
    // Multiplying by 2^32 / golden ratio spreads lines at equal distances (Knuth, TAOCP 3, section 6.4).
    let slot = Math.imul(line, 0x9e3779b1) >>> this.#shift;
    while (this.#lineStamps[slot] === this.#stamp) {
      if (this.#lines[slot] === line) return false;
      slot = slot + 1 === this.#lines.length ? 0 : slot + 1;
    }
    this.#lineStamps[slot] = this.#stamp;
    this.#lines[slot] = line;
    return true;
  }

  /** One line more of a bank; returns how many there are now. */
  #count(bank: number): number {
    const before = this.#countStamps[bank] === this.#stamp ? this.#counts[bank]! : 0;
    this.#countStamps[bank] = this.#stamp;
    this.#counts[bank] = before + 1;
    return before + 1;
  }
}
