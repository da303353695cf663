/**
 * Attention of N tokens as a streaming graph on bounded FIFOs: the standard order, which keeps a row of exponentials until their
 * sum is known, and the online order, which keeps none. `room` is how many entries the FIFO of the standard order has beyond a
 * row, stages of the pipeline that fills it among them, and how many any FIFO of the online order has at most.
 *
 * Cycles are those that the graphs' own program prints, to the last one. What it says of depths cannot be told from it: by the
 * law of channels the standard order comes to its end from N entries on, as its row's sum leaves the pipeline by itself, and
 * streams at full rate from N + 16. That it needs N + 22 is what the paper says; a sum of 23 stages that only moves when another
 * exponential comes in behind it would need so many, but neither law nor program has such pipelines.
 */
import { DeadlockError, geometricMean, runStream, streamingAttention, study } from '../../index.ts';

const source = 'Dataflow Abstract Machine (Zhang et al., ISCA 2024), table II';
const program = 'gina7484/stream-attn-dam commit 9f1cb9d';

interface Run {
  readonly attention: 'standard' | 'online';
  readonly tokens: number;
  readonly room: number;
  readonly unbounded: boolean;
}

interface Row extends Run {
  readonly cycles: number | null;
  readonly deadlock: number | null;
}

/** Null in a deadlock. */
function cycles({ attention, tokens, room, unbounded }: Run): number | null {
  const depth = attention === 'standard' ? tokens + room : room;
  try {
    return runStream(streamingAttention(attention, tokens, { depth: unbounded ? Number.POSITIVE_INFINITY : depth }))
      .cycles;
  } catch (error) {
    if (error instanceof DeadlockError) return null;
    throw error;
  }
}

const rowOf = (rows: readonly Row[], wanted: Partial<Row>): Row | undefined =>
  rows.find((row) => Object.entries(wanted).every(([name, value]) => row[name as keyof Row] === value));

const deep = { room: 22, unbounded: false };
const sizes = [512, 2048, 8192, 32768];
const printed = { online: [524334, 8388654, 134217774, 2147483694], standard: [525364, 8392756, 134234164] };

export default study({
  name: 'dam-attention',
  about: 'Attention on streaming operators and bounded FIFOs: cycles, and how deep FIFOs must be',
  parameters: {
    attention: ['standard', 'online'],
    tokens: sizes,
    unbounded: [false, true],
    room: [22, 16, 15, 0, -1],
  },
  skip: ({ attention, room, unbounded }) => (unbounded ? room !== 22 : attention === 'online' && room < 1),
  inputs: (point) => point,
  run: (point: Run) => ({ cycles: cycles(point) }),
  metrics: ({ cycles }: { readonly cycles: number | null }, { tokens }: { readonly tokens: number }) => ({
    cycles,
    over_2N2: cycles === null ? null : cycles / (2 * tokens ** 2),
    deadlock: cycles === null ? 1 : 0,
  }),
  claims: [
    {
      text: 'Cycles of the online order over 2 N^2, with FIFOs of 22 entries',
      source,
      target: 1,
      within: 0.001,
      measured: (rows: readonly Row[]) =>
        overTwice(rows.filter((row) => row.attention === 'online' && row.room === 22)),
    },
    ...sizes.map((tokens) => ({
      text: `Cycles with FIFOs of 22 entries over cycles with unbounded ones, online order of ${tokens} tokens`,
      source,
      target: 1,
      within: 0,
      measured: (rows: readonly Row[]) => {
        const wanted = { attention: 'online', tokens } as const;
        return ratio(rowOf(rows, { ...wanted, ...deep }), rowOf(rows, { ...wanted, unbounded: true }));
      },
    })),
    ...(['online', 'standard'] as const).flatMap((attention) =>
      printed[attention].map((target, i) => ({
        text: `Cycles of the ${attention} order of ${sizes[i]} tokens`,
        source: program,
        target,
        within: 0,
        measured: (rows: readonly Row[]) =>
          rowOf(rows, { attention, tokens: sizes[i] as number, ...deep })?.cycles ?? null,
      })),
    ),
    {
      text: 'Cycles of the standard order with N + 22 entries over cycles with unbounded ones, 32768 tokens',
      source,
      target: 1,
      within: 0,
      measured: (rows: readonly Row[]) => {
        const wanted = { attention: 'standard', tokens: 32768 } as const;
        return ratio(rowOf(rows, { ...wanted, ...deep }), rowOf(rows, { ...wanted, unbounded: true }));
      },
    },
    {
      text: 'Entries beyond a row below which the standard order deadlocks, 512 tokens, of those tried',
      source,
      target: 22,
      measured: (rows: readonly Row[]) => {
        const standard = rows.filter((row) => row.attention === 'standard' && row.tokens === 512 && !row.unbounded);
        const rooms = standard.filter((row) => row.deadlock === 0).map(({ room }) => room);
        return rooms.length > 0 && standard.length > rooms.length ? Math.min(...rooms) : null;
      },
    },
  ],
  charts: [{ kind: 'curve', x: 'tokens', y: 'cycles', by: 'attention', panel: 'room', log: 'xy' }],
});

function overTwice(rows: readonly Row[]): number | null {
  const ratios = rows.flatMap(({ cycles, tokens }) => (cycles === null ? [] : [cycles / (2 * tokens ** 2)]));
  return ratios.length > 0 ? geometricMean(ratios) : null;
}

function ratio(bounded: Row | undefined, unbounded: Row | undefined): number | null {
  return bounded?.cycles && unbounded?.cycles ? bounded.cycles / unbounded.cycles : null;
}
