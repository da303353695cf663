/** Products in a memory that computes: which channel has what of them, as programs of commands. */
import type { DramDevice } from '../../arch/language/dram/device.ts';
import type { PimProgram } from '../../workloads/language/pim-program.ts';
import type { Layout, ServingMapping } from '../../workloads/language/serving-mapping.ts';
import type { Attended, Attention, Experts, Matmul } from '../../workloads/llm/operator.ts';
import { attentionRows, contextJobs, logitJobs } from '../../workloads/pim/attention.ts';
import { type Gemv, gemv } from '../../workloads/pim/gemv.ts';
import type { Run } from './memory.ts';
import { chunkRuns } from './pim-cache.ts';

/** A program for one channel, or with `channel` null for all of them. */
export interface PimJob {
  readonly channel: number | null;
  readonly program: PimProgram;
  /** That the rows of the program count from; 0 by default. */
  readonly row?: number;
}

/** Attention of requests of one shape, on rows that count from the first of each one's keys, or of a head's values. */
interface AttentionPrograms {
  readonly scores: readonly { readonly program: PimProgram; readonly heads: readonly number[] }[];
  /** Of any head: in parts, whose results are added up. */
  readonly context: readonly PimProgram[];
  /** Rows of all keys, and of the values of a head. */
  readonly keyRows: number;
  readonly valueRows: number;
}

/** Shapes whose programs are kept: more than the requests of an iteration, a few kilobytes each. */
const mostShapes = 1024;

/** What follows the scores of a head of queries (or of those that share keys) when these are there. */
export interface HeadWork {
  /** Scores and queries, for the softmax. */
  readonly elements: number;
  readonly rows: number;
  /** Products with the values. */
  readonly context: readonly PimJob[];
  /** Additions that make one context of their results. */
  readonly additions: number;
}

/** A product, and the additions that make its outputs of what the memory gives. */
export interface ProductWork {
  readonly jobs: readonly PimJob[];
  readonly additions: number;
}

/** Scores that are there together, of one or several heads. */
export interface ScoreWork {
  readonly scores: PimJob;
  readonly heads: readonly HeadWork[];
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
  readonly #attentions = new Map<string, AttentionPrograms>();
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
  product(operator: Matmul | Experts, layer: number): ProductWork {
    const sizes = operator.kind === 'matmul' ? [operator.tokens] : operator.tokens;
    let additions = 0;
    const jobs = sizes.flatMap((tokens, expert) => {
      if (tokens === 0) return [];
      const outputs = Math.ceil(operator.outputs / this.#channels);
      const { program, partials } = this.#gemv(`${layer} ${operator.name} ${expert}`, null, outputs, operator.inputs);
      additions += tokens * operator.outputs * (partials - 1);
      const passes = Math.ceil(tokens / this.#vectors);
      return Array.from({ length: passes }, (): PimJob => ({ channel: null, program }));
    });
    return { jobs, additions };
  }

  /** Attention of a request. */
  attention(operator: Attention, request: Attended, layer: number): ScoreWork[] {
    if (!this.fillsFromRow) {
      return Array.from({ length: operator.kvHeads }, (_, head) => this.#head(operator, request, layer, head));
    }
    const { kvHeads, group, headSize } = operator;
    const { context: length, channel = 0 } = request;
    const queries = group * request.queries;
    const { scores, context, keyRows, valueRows } = this.#attentionOf({ heads: kvHeads, queries, headSize, length });
    const keyRow = this.#rowOf(`${layer} ${request.request}`, channel, keyRows + kvHeads * valueRows);
    return scores.map(({ program, heads }) => ({
      scores: { channel, program, row: keyRow },
      heads: heads.map((head) => {
        const row = keyRow + keyRows + Math.floor(head / queries) * valueRows;
        return {
          elements: length,
          rows: 1,
          context: context.map((program) => ({ channel, program, row })),
          additions: (context.length - 1) * headSize,
        };
      }),
    }));
  }

  /** Programs that requests of one shape share, in all layers and iterations. */
  #attentionOf(shape: { heads: number; queries: number; headSize: number; length: number }): AttentionPrograms {
    const key = Object.values(shape).join(' ');
    const known = this.#attentions.get(key);
    if (known) return known;
    const device = this.#device;
    const vectorRow = device.rows - 1;
    const { keys, values } = attentionRows(device, shape);
    const programs: AttentionPrograms = {
      scores: logitJobs(device, { ...shape, keyRow: 0, vectorRow }),
      context: contextJobs(device, { ...shape, heads: 1, queries: 1, valueRow: 0, vectorRow }).map(
        ({ program }) => program,
      ),
      keyRows: keys,
      valueRows: values / shape.heads,
    };
    if (this.#attentions.size === mostShapes) this.#attentions.clear();
    this.#attentions.set(key, programs);
    return programs;
  }

  /** A head whose keys and values are matrices of their own. */
  #head(operator: Attention, request: Attended, layer: number, head: number): ScoreWork {
    const { kvHeads, group, headSize } = operator;
    const { queries, context } = request;
    const channel = this.#channelOf(request, head, kvHeads);
    const { name, keyWays, valueWays } = this.#cacheOf(request, layer, head);
    const scores = this.#gemv(`${name} keys`, channel, Math.ceil(context / keyWays), headSize).program;
    const weighed = this.#gemv(`${name} values`, channel, Math.ceil(headSize / valueWays), context);
    const passes = Math.ceil((group * queries) / this.#vectors);
    const times = (program: PimProgram): PimProgram => Array.from({ length: passes }, () => program).flat();
    return {
      scores: { channel, program: times(scores) },
      heads: [
        {
          elements: group * queries * context,
          rows: group * queries,
          context: [{ channel, program: times(weighed.program) }],
          additions: group * queries * headSize * (weighed.partials - 1),
        },
      ],
    };
  }

  /** What the keys and values of a head are called, and the channels that share their tokens and dimensions. */
  #cacheOf({ request }: Attended, layer: number, head: number) {
    const ways = (tensor: 'keys' | 'values', index: string): number =>
      runsOver(this.#mapping.layout.get(tensor), index) ? this.#channels : 1;
    return {
      name: `${layer} ${request} ${head}`,
      keyWays: ways('keys', 'token'),
      valueWays: ways('values', 'dimension'),
    };
  }

  /**
   * What is written where the last tokens of requests are added to their keys and values. A key goes to one channel; where
   * channels share tokens, that is the first: whichever it is, all wait for it.
   */
  appended(operator: Attention, layer: number): Run[] {
    return operator.requests.flatMap((request) =>
      Array.from({ length: operator.kvHeads }, (_, head) => head).flatMap((head) =>
        Array.from({ length: request.queries }, (_, i) => request.context - 1 - i).flatMap((token) =>
          this.#appended(operator, request, layer, head, token),
        ),
      ),
    );
  }

  #appended({ kvHeads, headSize }: Attention, request: Attended, layer: number, head: number, token: number): Run[] {
    const { context } = request;
    const own = this.#channelOf(request, head, kvHeads);
    const { name, keyWays, valueWays } = this.#cacheOf(request, layer, head);
    const keys = this.#gemv(`${name} keys`, own, Math.ceil(context / keyWays), headSize);
    const values = this.#gemv(`${name} values`, own, Math.ceil(headSize / valueWays), context);
    const place = { row: Math.floor(token / keyWays), chunk: 0, count: keys.chunks };
    return [
      ...chunkRuns(this.#device, this.#channels, { ...keys, channel: own ?? 0 }, place),
      ...Array.from({ length: headSize }, (_, dimension) =>
        chunkRuns(
          this.#device,
          this.#channels,
          { ...values, channel: own ?? dimension % valueWays },
          { row: Math.floor(dimension / valueWays), chunk: Math.floor(token / this.#lanes), count: 1 },
        ),
      ).flat(),
    ];
  }

  /** The channel that has a head; null when all have a part of it. */
  #channelOf({ channel = 0 }: Attended, head: number, kvHeads: number): number | null {
    const { layout } = this.#mapping;
    if (runsOver(layout.get('keys'), 'request')) return channel;
    // Requests were given channels in turn: heads go on from there.
    return runsOver(layout.get('keys'), 'head') ? (channel * kvHeads + head) % this.#channels : null;
  }

  /** A matrix times a vector in one channel, in rows of the memory that are its own. */
  #gemv(name: string, channel: number | null, rows: number, columns: number): Gemv & { readonly firstRow: number } {
    const shape = { rows, columns, lanes: this.#lanes };
    const { memoryRows } = gemv(this.#device, this.#command, shape);
    const firstRow = this.#rowOf(name, channel ?? 0, memoryRows);
    return { ...gemv(this.#device, this.#command, { ...shape, firstRow }), firstRow };
  }

  /** The first of the rows of what has this name, the same every time. What does not fit begins anew. */
  #rowOf(name: string, channel: number, rows: number): number {
    const known = this.#rows.get(name);
    if (known !== undefined) return known;
    const next = this.#nextRow[channel]!;
    const first = next + rows < this.#device.rows ? next : 0;
    this.#rows.set(name, first);
    this.#nextRow[channel] = first + rows;
    return first;
  }
}

function runsOver(layout: Layout | undefined, index: string): boolean {
  return layout?.get(index)?.includes('channel') ?? false;
}
