/** Products in a memory that computes: which channel has what of them, as programs of commands. */
import type { DramDevice } from '../../arch/language/dram/device.ts';
import type { PimProgram } from '../../workloads/language/pim-program.ts';
import type { Layout, ServingMapping } from '../../workloads/language/serving-mapping.ts';
import type { Attended, Attention, Experts, Matmul } from '../../workloads/llm/operator.ts';
import { gemv } from '../../workloads/pim/gemv.ts';

/** A program for one channel, or with `channel` null for all of them. */
export interface PimJob {
  readonly channel: number | null;
  readonly program: PimProgram;
}

/** A head of keys and values of a request, and where its parts are. */
export interface HeadJobs {
  readonly scores: PimJob;
  readonly context: PimJob;
  /** Scores of all heads of queries, and queries: what a softmax works on between the two. */
  readonly elements: number;
  readonly rows: number;
}

export class PimWork {
  readonly #device: DramDevice;
  readonly #channels: number;
  readonly #mapping: ServingMapping;
  readonly #command: string;
  readonly #lanes: number;
  readonly #vectors: number;
  /** Rows of the banks that are given out, by channel: products lie one behind the other. */
  readonly #nextRow: number[];
  readonly #rows = new Map<string, number>();
  /** Whether operands come from a row, so that they have to be written there. */
  readonly fillsFromRow: boolean;

  constructor(device: DramDevice, channels: number, mapping: ServingMapping) {
    this.#device = device;
    this.#channels = channels;
    this.#mapping = mapping;
    const multiplies = device.commands.filter(({ pim }) => pim?.kind === 'multiplies');
    const [widest] = multiplies;
    if (!widest) throw new Error(`${device.name} multiplies nothing`);
    this.#command = widest.name;
    this.#lanes = device.units?.lanes ?? device.burstBytes / 2;
    this.#vectors = device.units?.vectors ?? 1;
    this.#nextRow = Array.from({ length: channels }, () => 0);
    this.fillsFromRow = device.commands.some(
      ({ pim }) => pim?.kind === 'moves' && pim.from === 'row' && pim.to !== 'host',
    );
  }

  /** A product, or the products of experts one after another, whose outputs are shared out over the channels. */
  product(operator: Matmul | Experts, layer: number): PimJob[] {
    const sizes = operator.kind === 'matmul' ? [operator.tokens] : operator.tokens;
    return sizes.flatMap((tokens, expert) => {
      if (tokens === 0) return [];
      const outputs = Math.ceil(operator.outputs / this.#channels);
      const program = this.#gemv(`${layer} ${operator.name} ${expert}`, null, outputs, operator.inputs);
      const passes = Math.ceil(tokens / this.#vectors);
      return Array.from({ length: passes }, (): PimJob => ({ channel: null, program }));
    });
  }

  /** The heads of a request. */
  heads(operator: Attention, request: Attended, layer: number): HeadJobs[] {
    const { kvHeads, group, headSize } = operator;
    const { queries, context } = request;
    const passes = Math.ceil((group * queries) / this.#vectors);
    return Array.from({ length: kvHeads }, (_, head) => {
      const channel = this.#channelOf(request, head, kvHeads);
      const shared = (tensor: 'keys' | 'values', index: string, extent: number): number =>
        runsOver(this.#mapping.layout.get(tensor), index) ? Math.ceil(extent / this.#channels) : extent;
      const name = `${layer} ${request.request} ${head}`;
      const scores = this.#gemv(`${name} keys`, channel, shared('keys', 'token', context), headSize);
      const weighed = this.#gemv(`${name} values`, channel, shared('values', 'dimension', headSize), context);
      return {
        scores: { channel, program: Array.from({ length: passes }, () => scores).flat() },
        context: { channel, program: Array.from({ length: passes }, () => weighed).flat() },
        elements: group * queries * context,
        rows: group * queries,
      };
    });
  }

  /** The channel that has a head; null when all have a part of it. */
  #channelOf({ channel = 0 }: Attended, head: number, kvHeads: number): number | null {
    const { layout } = this.#mapping;
    if (runsOver(layout.get('keys'), 'request')) return channel;
    // Requests were given channels in turn: heads go on from there.
    return runsOver(layout.get('keys'), 'head') ? (channel * kvHeads + head) % this.#channels : null;
  }

  /** A matrix times a vector in one channel, in rows of the memory that are its own. */
  #gemv(name: string, channel: number | null, rows: number, columns: number): PimProgram {
    const firstRow = this.#rows.get(name) ?? this.#nextRow[channel ?? 0]!;
    const { program, memoryRows } = gemv(this.#device, this.#command, {
      rows,
      columns,
      lanes: this.#lanes,
      firstRow: firstRow % this.#device.rows,
    });
    if (!this.#rows.has(name)) {
      this.#rows.set(name, firstRow);
      this.#nextRow[channel ?? 0] = firstRow + memoryRows;
    }
    return program;
  }
}

function runsOver(layout: Layout | undefined, index: string): boolean {
  return layout?.get(index)?.includes('channel') ?? false;
}
