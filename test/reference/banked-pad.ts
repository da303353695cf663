/**
 * The slow twin of models/memory/banks.ts: a scratchpad of banks, ticked every cycle, that an array reads step by step.
 *
 * The tile is written into the banks one element after another, and where each one went is written down: it has no
 * formula for lines, banks or cycles. Every bank has a queue of words that were asked for. In a cycle each of its ports
 * opens the line of the word at the head, and all words in the queue that lie in this line leave. The array asks for the
 * words of a step in one cycle, and for those of the next one in the cycle after the last of them has come.
 */
import type { Banks } from '../../models/memory/banks.ts';

/** An element's place; `line` is the same object for all elements of a line. */
interface Cell {
  readonly bank: number;
  readonly line: object;
}

/** Cycles to read a tile: by step, the addresses of its words in elements, -1 for none. */
export function readTile(banks: Banks, wanted: readonly (readonly number[])[]): number {
  const pad = new BankedPad(banks, Math.max(-1, ...wanted.flat()) + 1);
  let cycles = 0;
  for (const words of wanted) {
    for (const address of words) if (address !== -1) pad.request(address);
    do {
      pad.tick();
      cycles++;
    } while (pad.isBusy);
  }
  return cycles;
}

class BankedPad {
  readonly #ports: number;
  readonly #cells: Cell[] = [];
  #queues: Cell[][];

  constructor({ banks, ports, line }: Banks, elements: number) {
    this.#ports = ports;
    this.#queues = Array.from({ length: banks }, () => []);
    for (let bank = 0; this.#cells.length < elements; bank = bank === banks - 1 ? 0 : bank + 1) {
      const cell: Cell = { bank, line: {} };
      for (let column = 0; column < line; column++) this.#cells.push(cell);
    }
  }

  get isBusy(): boolean {
    return this.#queues.some((queue) => queue.length > 0);
  }

  request(address: number): void {
    const cell = this.#cells[address]!;
    this.#queues[cell.bank]!.push(cell);
  }

  tick(): void {
    this.#queues = this.#queues.map((queue) => {
      let left = queue;
      for (let port = 0; port < this.#ports; port++) left = left.filter(({ line }) => line !== left[0]!.line);
      return left;
    });
  }
}
