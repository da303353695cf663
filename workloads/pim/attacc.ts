/**
 * Attention of one token on AttAcc's memory, as the trace generators of its simulator lay it out: scale-snu/attacc_simulator
 * commit c600051, pim_ramulator_src/trace_gen. A head is computed in one channel: scores (K by the query), softmax, context
 * (V by the scores). Heads beyond the channels follow in pairs, the second of which scores while the first has its softmax.
 */
import { barrier, commands, type PimProgram, type PimStep, repeat } from '../language/pim-program.ts';

export interface AttAccAttention {
  /** Where the units are: at the banks, at the bank groups, or at the pseudo-channels on the buffer die. */
  readonly units: 'bank' | 'bg' | 'buffer';
  /** Heads of all channels together. */
  readonly heads: number;
  /** Tokens that are attended to. */
  readonly length: number;
  /** Elements of a head, and bytes of an element. */
  readonly dhead: number;
  readonly dbyte: number;
  /** As the generators have it: the second head of a pair takes the values, and the channels, of the first one. */
  readonly sharesValues?: boolean;
}

const [channels, pseudoChannels, stackIds, bankGroups, banks] = [16, 2, 2, 4, 4];
const [rows, columns, columnBytes] = [16384, 32, 32];
/** Row at which values begin; keys begin at row 0. */
const valueRow = 8192;
/** Tokens that the keys of a head have room for. */
const mostTokens = 4096;

type Order = readonly (readonly [string, number])[];

/** Where things are, which depends on where the units are. Orders are without the channel, the fastest of all. */
interface Layout {
  readonly mac: string;
  readonly matrix: Order;
  /** Multiplications for one score of every unit, and scores or elements of the context that they come one after another. */
  readonly depth: number;
  readonly rounds: number;
  readonly query: Order;
  readonly scores: Order;
  readonly context: Order;
  readonly weights: Order;
  /** Passes over the values. */
  readonly passes: number;
}

/** The program of all channels, in the order in which they get its commands. */
export function attaccAttention(shape: AttAccAttention): PimProgram {
  const layout = layoutOf(shape);
  const iterations = Math.ceil(shape.heads / channels);
  const heads = Array.from({ length: iterations }, (_, i) => new Head(layout, shape, i));
  const steps: PimStep[] = [];
  for (let i = 0; i + 1 < iterations; i += 2) {
    const [one, two] = [heads[i]!, heads[i + 1]!];
    steps.push(...pair(one, two, shape.sharesValues ? one : two, layout));
  }
  const last = heads[iterations - 1];
  return iterations % 2 === 1 && last ? [...steps, ...alone(last, layout)] : steps;
}

function layoutOf({ units, length, dhead, dbyte }: AttAccAttention): Layout {
  const lanes = columnBytes / dbyte;
  const apart = Math.ceil(length / (pseudoChannels * stackIds * bankGroups));
  const weights = Math.ceil(length / (pseudoChannels * stackIds * bankGroups * lanes));
  const across: Order = [
    ['stackId', stackIds],
    ['bankGroup', bankGroups],
  ];
  const spread: Order = [
    ['entry', weights],
    ['bankGroup', bankGroups],
    ['stackId', stackIds],
  ];
  const whole = Math.ceil(dhead / lanes);
  const quarter = Math.ceil(dhead / banks / lanes);
  switch (units) {
    case 'bank':
      return {
        mac: 'MACAB',
        matrix: [
          ['column', columns],
          ['row', rows],
        ],
        depth: quarter,
        rounds: apart,
        query: [
          ['entry', quarter],
          ['bank', banks],
        ],
        scores: across,
        context: [
          ['stackId', stackIds],
          ['bank', banks],
        ],
        weights: spread,
        passes: Math.ceil(dhead / (banks * lanes)),
      };
    case 'bg':
      return {
        mac: 'MACSB',
        matrix: [
          ['column', columns],
          ['bank', banks],
          ['row', rows],
        ],
        depth: whole,
        rounds: apart,
        query: [['entry', whole]],
        scores: across,
        context: [['stackId', stackIds]],
        weights: spread,
        passes: whole,
      };
    case 'buffer':
      return {
        mac: 'MACPB',
        matrix: [
          ['bankGroup', bankGroups],
          ['stackId', stackIds],
          ['bank', banks],
          ['column', columns],
          ['row', rows],
        ],
        depth: whole,
        rounds: Math.ceil(length / pseudoChannels),
        query: [['entry', whole]],
        scores: [],
        context: [],
        weights: [['entry', Math.ceil(length / (pseudoChannels * lanes))]],
        passes: whole,
      };
  }
}

/** Scores that a unit collects before they are moved. */
const collected = 16;

/** The commands of the heads of one iteration, one in each of some channels. */
class Head {
  readonly #layout: Layout;
  readonly #keyRow: number;
  /** Channels that have a head in this iteration. */
  readonly #width: number;
  readonly isFirst: boolean;
  readonly queries: number;
  readonly weights: number;

  constructor(layout: Layout, { heads, dhead }: AttAccAttention, iteration: number) {
    const banksEach = pseudoChannels * stackIds * bankGroups * banks;
    this.#layout = layout;
    this.isFirst = iteration === 0;
    this.#keyRow = iteration * Math.ceil((mostTokens * dhead) / banksEach / (columns * columnBytes));
    this.#width = Math.min(channels, heads - iteration * channels);
    this.queries = this.#width * product(layout.query);
    this.weights = this.#width * product(layout.weights);
  }

  /** Part of the query, counted in commands. */
  query(first: number, step: number, count: number): PimStep {
    return this.#send('WRGB', this.#layout.query, { first, step, count, of: this.queries });
  }

  /** One multiplication of each channel. */
  get dummy(): PimStep {
    return this.#send(this.#layout.mac, this.#layout.matrix, { at: { row: this.#keyRow }, count: this.#width });
  }

  /** In iteration n, the multiplications of the n-th scores that are collected. */
  get scoring(): PimStep {
    const { mac, matrix, depth, rounds } = this.#layout;
    const count = collected * depth * this.#width;
    return this.#send(mac, matrix, { at: { row: this.#keyRow }, step: count, count, of: rounds * depth * this.#width });
  }

  /** In iteration n, the scores collected in iteration n + `behind`. */
  scores(behind: number): PimStep {
    const { scores, rounds } = this.#layout;
    const count = this.#width * product(scores);
    return this.#send('MVSB', scores, {
      first: behind * count,
      step: count,
      count,
      of: Math.ceil(rounds / collected) * count,
    });
  }

  /** In iteration 0 only. */
  get softmax(): PimStep {
    return this.#send('SFM', [], { step: this.#width, count: this.#width, of: this.#width });
  }

  /** In iteration n of `times`, what is moved then of the weights, which begins half way. */
  weighting(times: number): PimStep {
    const count = Math.floor(this.weights / Math.ceil(times / 2));
    const first = -Math.floor(times / 2) * count;
    return this.#send('MVGB', this.#layout.weights, { first, step: count, count, of: this.weights });
  }

  get allWeights(): PimStep {
    return this.#send('MVGB', this.#layout.weights, { count: this.weights });
  }

  /** In iteration n, pass n over the values. */
  get passing(): PimStep {
    const { mac, matrix, rounds, passes } = this.#layout;
    const count = rounds * this.#width;
    return this.#send(mac, matrix, { at: { row: this.#keyRow + valueRow }, step: count, count, of: passes * count });
  }

  /** In iteration n, the results of pass n + `behind`. */
  context(behind: number): PimStep {
    const { context, passes } = this.#layout;
    const count = this.#width * product(context);
    return this.#send('MVSB', context, { first: behind * count, step: count, count, of: passes * count });
  }

  #send(command: string, order: Order, rest: Parameters<typeof commands>[2]): PimStep {
    return commands(command, [['channel', this.#width], ...order], rest);
  }
}

function product(order: Order): number {
  return order.reduce((all, [, count]) => all * count, 1);
}

const all = barrier(channels);

/** Two heads; the second one's context is made from the values of the head `values`. */
function pair(one: Head, two: Head, values: Head, { rounds, passes }: Layout): PimStep[] {
  const times = Math.ceil(rounds / collected);
  const part = Math.floor(two.queries / times);
  return [
    one.query(0, 0, one.queries),
    ...(one.isFirst ? [one.dummy] : []),
    all,
    repeat(times, one.scoring, one.scores(-1), two.query(0, part, part), all),
    one.scores(times - 1),
    repeat(times, two.scoring, two.scores(-1), one.softmax, one.weighting(times), all),
    two.scores(times - 1),
    repeat(passes, one.passing, one.context(-1), two.softmax, two.weighting(passes), all),
    one.context(passes - 1),
    repeat(passes, values.passing, values.context(-1), all),
    values.context(passes - 1),
  ];
}

function alone(head: Head, { rounds, passes }: Layout): PimStep[] {
  const times = Math.ceil(rounds / collected);
  return [
    head.query(0, 0, head.queries),
    all,
    repeat(times, head.scoring, head.scores(-1), all),
    head.scores(times - 1),
    head.softmax,
    head.allWeights,
    all,
    repeat(passes, head.passing, head.context(-1), all),
    head.context(passes - 1),
  ];
}
