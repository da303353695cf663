/**
 * Attention of one token in a channel of a memory that computes, as Newton and NeuPIMs lay it out: keys by token over the
 * banks, as many heads in a row as fit; values by element of the head over the banks, as many tokens in a row as fit. A row
 * has the same number in all banks. Vectors are copied from a row of one bank to the channel's buffer.
 */
import { banksOf, type DramCommand, type DramDevice, needsRow } from '../../arch/language/dram/device.ts';
import { commands, type PimProgram, type PimStep, repeat } from '../language/pim-program.ts';

/** One request in one channel. */
export interface AttentionShape {
  /** Heads of keys and values. */
  readonly heads: number;
  /** Queries that share the keys and values of a head; 1 by default. */
  readonly queries?: number;
  readonly headSize: number;
  /** Tokens in the cache. */
  readonly length: number;
  /** First rows of keys and of values, each of which takes as many as `attentionRows` says. */
  readonly keyRow: number;
  readonly valueRow: number;
  /** Row of bank 0 that vectors are copied from; those of so many jobs in turn have rows of their own, going down (1). */
  readonly vectorRow: number;
  readonly vectorRows?: number;
}

/** Work whose results belong to some heads in turn. */
export interface AttentionJob {
  readonly program: PimProgram;
  /** Heads of queries, counted over all; result i is of head i mod their number, of each bank a number. */
  readonly heads: readonly number[];
  readonly results: number;
}

export interface AttentionJobs {
  /** Products of queries and keys; those of a head are done when all results of it are there. */
  readonly logits: readonly AttentionJob[];
  /** Weighted sums of values, each of one head; they need its weights. With several jobs for a head, their results are added up. */
  readonly context: readonly AttentionJob[];
}

/** What a dialect has for such work. */
interface Commands {
  readonly fill: DramCommand;
  readonly prepare: DramCommand | undefined;
  readonly multiply: DramCommand;
  /** Undefined where a multiplication returns its results itself. */
  readonly fetch: DramCommand | undefined;
  /** Numbers that are multiplied at once, and columns of them in a row. */
  readonly lanes: number;
  readonly columns: number;
  readonly banks: number;
}

/** Rows that keys and values of a request take. */
export function attentionRows(
  device: DramDevice,
  { heads, headSize, length }: Pick<AttentionShape, 'heads' | 'headSize' | 'length'>,
): { keys: number; values: number } {
  const set = commandsOf(device);
  const { lanes, columns, banks } = set;
  const wide = lanes * columns;
  const chunks = Math.ceil(heads / Math.max(1, headsInRow(set, headSize)));
  return {
    keys: chunks * Math.ceil(length / banks),
    values: heads * Math.ceil(length / wide) * Math.ceil(headSize / banks),
  };
}

/**
 * The jobs, in the order in which they are best done.
 * @throws Error when the device lacks commands for it, or a head does not fit in a row
 */
export function attentionJobs(device: DramDevice, shape: AttentionShape): AttentionJobs {
  return { logits: logitJobs(device, shape), context: contextJobs(device, shape) };
}

/** Heads of keys that fit in a row, each from the beginning of a column on. */
function headsInRow({ lanes, columns }: Commands, headSize: number): number {
  return Math.floor(columns / Math.ceil(headSize / lanes));
}

/** A job for each chunk of heads and each of their queries. @throws Error as `attentionJobs` */
export function logitJobs(
  device: DramDevice,
  { heads, queries = 1, headSize, length, keyRow, vectorRow, vectorRows = 1 }: Omit<AttentionShape, 'valueRow'>,
): AttentionJob[] {
  const set = commandsOf(device);
  const { lanes, columns, banks } = set;
  const inRow = headsInRow(set, headSize);
  if (inRow === 0) throw new Error(`a head of ${headSize} numbers does not fit in a row of ${lanes * columns}`);
  const tiles = Math.ceil(length / banks);
  return Array.from({ length: Math.ceil(heads / inRow) }, (_, chunk) => chunk).flatMap((chunk) => {
    const count = Math.min(inRow, heads - chunk * inRow);
    const row = keyRow + chunk * tiles;
    return Array.from({ length: queries }, (_, query): AttentionJob => {
      const of = Array.from({ length: count }, (_, i) => (chunk * inRow + i) * queries + query);
      const vector = (chunk * queries + query) % vectorRows;
      return {
        program: [
          fillOf(set, vectorRow - vector),
          repeat(tiles, ...tileOf(set, row, tiles, Math.ceil(headSize / lanes), count)),
        ],
        heads: of,
        results: tiles * count,
      };
    });
  });
}

/** A job for each head of queries and each chunk of tokens. @throws Error when the device lacks commands for it */
export function contextJobs(device: DramDevice, shape: Omit<AttentionShape, 'keyRow'>): AttentionJob[] {
  const set = commandsOf(device);
  const { heads, queries = 1, headSize, length, valueRow, vectorRow, vectorRows = 1 } = shape;
  const { lanes, columns, banks } = set;
  const inRow = lanes * columns;
  const tiles = Math.ceil(headSize / banks);
  const chunks = Math.ceil(length / inRow);
  return Array.from({ length: heads * queries }, (_, head) => head).flatMap((head) =>
    Array.from({ length: chunks }, (_, chunk): AttentionJob => {
      const tokens = Math.min(inRow, length - chunk * inRow);
      const row = valueRow + (Math.floor(head / queries) * chunks + chunk) * tiles;
      const vector = (head * chunks + chunk) % vectorRows;
      return {
        program: [
          fillOf(set, vectorRow - vector),
          repeat(tiles, ...tileOf(set, row, tiles, Math.ceil(tokens / lanes), 1)),
        ],
        heads: [head],
        results: tiles,
      };
    }),
  );
}

function fillOf({ fill }: Commands, row: number): PimStep {
  return commands(fill.name, [], { at: { row }, count: 1 });
}

/** In iteration n, the work on the n-th row: `parts` results of `columns` multiplications each. */
function tileOf(
  { prepare, multiply, fetch }: Commands,
  row: number,
  rows: number,
  columns: number,
  parts: number,
): PimStep[] {
  const at = { row };
  const steps: PimStep[] = [];
  if (prepare) {
    // What is announced are powers of two.
    const [multiplications, results] = [columns * parts, parts].map((n) => 2 ** Math.ceil(Math.log2(n)));
    steps.push(
      commands(prepare.name, [['row', rows]], {
        at,
        step: 1,
        count: 1,
        multiplications: multiplications!,
        results: results!,
      }),
    );
  }
  const each = (multiply.most ?? 1) > 1;
  for (let part = 0; part < (each ? 1 : parts); part++) {
    if (each) {
      steps.push(
        commands(
          multiply.name,
          [
            ['column', parts, columns],
            ['row', rows],
          ],
          {
            at,
            beside: [['entry', parts, columns]],
            step: parts,
            count: parts,
            multiplications: columns,
          },
        ),
      );
      continue;
    }
    const first = part * columns;
    steps.push(
      commands(
        multiply.name,
        [
          ['column', columns],
          ['row', rows],
        ],
        {
          at: { row, column: first, entry: first },
          beside: [['entry', columns]],
          step: columns,
          count: columns,
        },
      ),
    );
    if (fetch) steps.push(commands(fetch.name, [['row', rows]], { at, step: 1, count: 1 }));
  }
  return steps;
}

function commandsOf(device: DramDevice): Commands {
  const { commands: all, units, bursts, burstBytes, name } = device;
  const returns = ({ pim, second }: DramCommand): boolean =>
    [pim, second].some((effect) => effect?.kind === 'moves' && effect.to === 'host');
  const fill = all.find(({ pim }) => pim?.kind === 'moves' && pim.from === 'row' && pim.whole);
  const multiplies = all.filter(({ pim, level }) => pim?.kind === 'multiplies' && level === 0);
  const multiply = multiplies.find(returns) ?? multiplies[0];
  const fetch = all.find((command) => returns(command) && !needsRow(command));
  if (!fill || !multiply || !(returns(multiply) || fetch)) {
    throw new Error(`${name} has no commands that copy a row, multiply all banks by it and return the sums`);
  }
  const lanes = units?.lanes ?? burstBytes / 2;
  return {
    fill,
    multiply,
    fetch: returns(multiply) ? undefined : fetch,
    prepare: all.find(({ prepares }) => prepares),
    lanes,
    columns: (bursts * burstBytes) / 2 / lanes,
    banks: banksOf(device),
  };
}
